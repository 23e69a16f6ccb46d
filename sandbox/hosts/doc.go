// Package hosts is the machines of the sandbox's pretend world: each has its own address on loopback, its own directory,
// an ssh server, and a game of real processes that listen, answer, and can be stopped, started and killed.
//
// The names most readers need: [Start] brings up [Machine]s and returns [Hosts]; [Hosts.Plant] and [SSHServer.Break] break
// things, [Hosts.Kill] and [Hosts.Revive] switch a machine off and on; [Hosts.Truth] says what really happened, whatever a
// rollout believes. [Process] is the game's program: the binary that calls Start must run it when it is called again with
// Options.Args, since the processes are children of that same binary, started by the machine's own script game/game.sh.
//
//	D/keys/…                     the client's key, authorized_keys, host keys, known_hosts
//	D/machines/game-4/           the machine's root: what ssh logs in to
//	  game/game.sh               start, stop, status: written as an operator would
//	  game/game.conf             what game.sh is told: addresses, ports, the program
//	  game/RELEASE, game/peers   the release on disk; the connectors of the group, in order
//	  game/run/, game/log/       pid files and ready files; logs, and acts.log with each start and stop
//	  faults/                    a file here is a fault; game.sh looks before each act
//
// Nothing survives Close. When the world is killed with -9 instead, every process of the game still ends with it: each waits
// on the world's lease, a locked file, and the kernel unlocks it. A command that ssh was running then goes on with broken
// pipes, as on a real machine, to its own end.
//
// It must not know what a rollout is, nor import anything that carries one out: it meets them only at the wire.
package hosts
