'use strict';
module.exports = (app) => new Handler(app);

function Handler(app) {
  this.app = app;
}

Handler.prototype.queryEntry = function (msg, session, next) {
  const all = this.app.getServersByType('connector') || [];
  const to = all[msg.uid % all.length];
  next(null, to ? {code: 200, host: to.clientHost, port: to.clientPort} : {code: 500});
};
