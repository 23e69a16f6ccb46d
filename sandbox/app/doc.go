// Package app is a small but real game for Pomelo 2.2.7, in JavaScript: the one that tests and the sandbox restart.
//
// [Write] writes it as one machine holds it, with the configuration of its group. It answers three requests:
//
//	gate.gateHandler.queryEntry    {"uid":7} → {"code":200,"host":"10.77.0.12","port":6201,"n":6,"release":"v1"}
//	connector.entryHandler.enter   {"uid":7} → {"code":200,"release":"v1","machine":"game-2","group":"group1"}
//	connector.entryHandler.bye     {}        → {"code":200}
//
// A file VERSION beside app.js is its release, and a file FAULT makes it misbehave; each process reads both once, as it starts.
//
// It must not know what a rollout is: to a rollout this is just some game.
package app
