module.exports = function (app) {
  return new Handler(app);
};

var Handler = function (app) {
  this.app = app;
};

Handler.prototype.queryEntry = function (msg, session, next) {
  if (!msg.uid) {
    next(null, { code: 500 });
    return;
  }
  var connectors = this.app.getServersByType('connector') || [];
  if (!connectors.length) {
    next(null, { code: 500 });
    return;
  }
  var c = connectors[msg.uid % connectors.length];
  next(null, { code: 200, host: c.clientHost, port: c.clientPort });
};
