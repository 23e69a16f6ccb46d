// node ask.js <node_modules> <host> <port> <route> <body>: asks one thing as a player would and prints the answer.
var modules = process.argv[2] + '/';
var WebSocket = require(modules + 'ws');
var protocol = require(modules + 'pomelo-protocol');
var Package = protocol.Package, Message = protocol.Message;
var socket = new WebSocket('ws://' + process.argv[3] + ':' + process.argv[4]);
socket.binaryType = 'arraybuffer';
function send(type, body) { socket.send(Package.encode(type, body), { binary: true }); }
socket.on('open', function () {
  send(Package.TYPE_HANDSHAKE, protocol.strencode(JSON.stringify({ sys: { type: 'test', version: '0' }, user: {} })));
});
socket.on('message', function (data) {
  [].concat(Package.decode(Buffer.from(data))).forEach(function (p) {
    if (p.type === Package.TYPE_HANDSHAKE) {
      send(Package.TYPE_HANDSHAKE_ACK);
      send(Package.TYPE_DATA, Message.encode(1, Message.TYPE_REQUEST, 0, process.argv[5], protocol.strencode(process.argv[6])));
    } else if (p.type === Package.TYPE_DATA) {
      console.log(protocol.strdecode(Message.decode(p.body).body));
      process.exit(0);
    }
  });
});
