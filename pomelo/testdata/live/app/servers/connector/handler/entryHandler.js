module.exports = function () {
  return new Handler();
};

var Handler = function () {};

// echo answers what it was sent, after a while of its own.
Handler.prototype.echo = function (msg, session, next) {
  setTimeout(function () { next(null, { code: 200, heard: msg.say }); }, msg.after || 0);
};

// packed has an entry in clientProtos.json.
Handler.prototype.packed = function (msg, session, next) {
  next(null, { code: 200 });
};
