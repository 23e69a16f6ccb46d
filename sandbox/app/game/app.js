// A small game for Pomelo 2.2.7: gates that send a player to a connector, and connectors that keep the connection.
var fs = require('fs');
var os = require('os');
var path = require('path');

function beside(name) {
  try {
    return fs.readFileSync(path.join(__dirname, name), 'utf8').trim();
  } catch (e) {
    return '';
  }
}

// Read once: a process started from an older release goes on saying so, whatever is on the disk by then.
var faults = {};
beside('FAULT').split('\n').forEach(function (line) {
  var pair = line.split(':');
  faults[pair[0]] = pair[1] || true;
});
if (faults.crash) throw new Error('the file FAULT beside app.js says crash');
var release = beside('VERSION');
var game = JSON.parse(beside('config/game.json'));

var pomelo = require('pomelo');
var app = pomelo.createApp();
app.set('name', 'game');
app.set('release', release);
app.set('machine', os.hostname());
app.set('group', game.group);
app.set('ssh_config_params', game.ssh);
app.set('connectorConfig', {
  connector: pomelo.connectors.hybridconnector,
  heartbeat: 10, // seconds
  timeout: 20,
  useDict: false,
  useProtobuf: false
});

// Without it a probe that resets its connection would end a gate.
process.on('uncaughtException', function (err) {
  console.error('caught exception: ' + err.stack);
});

if (faults.hang === app.getServerId()) {
  setInterval(function () {}, 1 << 30); // lives, and never registers with the master
} else if (faults.slow && app.getServerType() !== 'master') {
  setTimeout(function () { app.start(); }, Number(faults.slow));
} else {
  app.start();
}
