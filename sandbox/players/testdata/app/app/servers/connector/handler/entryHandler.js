'use strict';
const fs = require('fs');
const path = require('path');
module.exports = (app) => new Handler(app);

function Handler(app) {
  this.app = app;
}

Handler.prototype.enter = function (msg, session, next) {
  const id = this.app.getServerId();
  session.bind(String(msg.uid), () => {
    session.on('closed', () => fs.appendFileSync(path.join(this.app.getBase(), id + '.closed'), msg.uid + '\n'));
    // A player has to find its answer among whatever else is said.
    this.app.get('channelService').pushMessageByUids('onEnter', {uid: msg.uid}, [{uid: String(msg.uid), sid: id}], () => {});
    next(null, {code: 200, release: 'v1', machine: id, group: 'group1'});
  });
};

Handler.prototype.bye = function (msg, session, next) {
  next(null, session.uid ? {code: 200} : {code: 500});
};
