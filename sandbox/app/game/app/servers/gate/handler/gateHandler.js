module.exports = function (app) {
  return new Handler(app);
};

function Handler(app) {
  this.app = app;
}

// {"uid": 7} -> where that player is to go: always the same connector while the same connectors are up. n is how many there are.
Handler.prototype.queryEntry = function (msg, session, next) {
  var uid = Number(msg.uid);
  if (!(uid >= 0)) return next(null, { code: 500, msg: 'uid is no number' });
  var list = this.app.getServersByType('connector').slice().sort(byNumber);
  if (list.length === 0) return next(null, { code: 500, msg: 'no connector', n: 0, release: this.app.get('release') });
  var one = list[Math.floor(uid) % list.length];
  next(null, { code: 200, host: one.clientHost, port: one.clientPort, n: list.length, release: this.app.get('release') });
};

// byNumber puts cluster-server-connector-10 after -9.
function byNumber(a, b) {
  return Number(a.id.split('-').pop()) - Number(b.id.split('-').pop());
}
