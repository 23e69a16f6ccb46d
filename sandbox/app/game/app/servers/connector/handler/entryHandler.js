module.exports = function (app) {
  return new Handler(app);
};

function Handler(app) {
  this.app = app;
}

// {"uid": 7} -> who serves the player from now on.
Handler.prototype.enter = function (msg, session, next) {
  var app = this.app;
  session.bind(msg.uid, function (err) {
    if (err) return next(null, { code: 500, msg: String(err) });
    next(null, { code: 200, release: app.get('release'), machine: app.get('machine'), group: app.get('group') });
  });
};

// {} -> the game is over. The player closes the connection; a connector never does.
Handler.prototype.bye = function (msg, session, next) {
  next(null, { code: 200 });
};
