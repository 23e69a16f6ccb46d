// One gate and two connectors of real Pomelo, and their master, all on 127.0.0.1. What the test needs to see is in files of this
// folder: ID.pid of each process, ID.ready once its port is open and it knows both
// connectors, ID.closed with a line for each session that has ended.
'use strict';
const fs = require('fs');
const path = require('path');
const pomelo = require(process.env.ROLLOUT_POMELO);

process.on('uncaughtException', (err) => console.error(err.stack));

const app = pomelo.createApp();
app.set('name', 'players');
const beside = (what) => path.join(app.getBase(), app.getServerId() + '.' + what);
fs.writeFileSync(beside('pid'), String(process.pid));

// The gate has neither heartbeats nor a dictionary of routes: a player has to manage without them and with them.
app.configure('development', 'gate', () => {
  app.set('connectorConfig', {connector: pomelo.connectors.hybridconnector});
});
app.configure('development', 'connector', () => {
  app.set('connectorConfig', {connector: pomelo.connectors.hybridconnector, heartbeat: 2, timeout: 6, useDict: true, useProtobuf: true});
  process.on('SIGUSR2', () => {
    const service = app.get('sessionService');
    service.forEachSession((session) => service.kickBySessionId(session.id, 'for the test'));
  });
});
app.start(() => {
  const look = setInterval(() => {
    if ((app.getServersByType('connector') || []).length < 2) return;
    clearInterval(look);
    fs.writeFileSync(beside('ready'), '');
  }, 20);
});
