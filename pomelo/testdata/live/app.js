// The smallest game there is: a gate that names a connector, and connectors.
// The test that runs it writes config/ beside it. There is no uncaughtException
// handler, on purpose: what a probe does wrong must kill a process here.
var pomelo = require('pomelo');

var app = pomelo.createApp();
app.set('name', 'live');

app.configure('production|development', 'gate', function () {
  app.set('connectorConfig', { connector: pomelo.connectors.hybridconnector });
});

app.configure('production|development', 'connector', function () {
  app.set('connectorConfig', {
    connector: pomelo.connectors.hybridconnector,
    heartbeat: 2,
    useDict: true,
    useProtobuf: true
  });
});

app.start();
