// Package players is the people who play in the sandbox's pretend world, or with a real Pomelo app, and the count of what was
// done to them.
//
// Each player asks the balancer for a gate, asks the gate for a connector, plays a game there over one long connection, ends
// the game, and begins again; how it speaks is its [Protocol]. The names most readers need: [Start] lets a [Crowd] in,
// [Crowd.Stats] counts games finished, sessions cut and connects failed, [Crowd.Freeze] makes players fall silent in the middle
// of a game, [Crowd.Begun] says how many sessions a group still got, [Crowd.Stop] lets everybody leave. A cut is a session that
// ended before its player ended it: the one number that a rollout must keep at 0.
//
// It must not know what stands behind the balancer's address, nor that anything is being rolled out.
package players
