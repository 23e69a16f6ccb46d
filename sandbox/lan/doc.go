// Package lan is real machines on one Linux host: each is a set of namespaces (net, pid, mount, uts) with its own address, its own
// processes, its own disk at the same path as all others, and a real OpenSSH server. Only root can have it, and only on Linux.
//
// A program calls [Boot] first thing in main, then [Enter], which runs it again as the operator: somebody on the same network as
// the machines, in namespaces of its own. There [Start] brings the machines up. They are unplugged, plugged, switched off and on
// by [LAN.Unplug], [LAN.Plug], [LAN.Off] and [LAN.On]; [LAN.Command] runs a program on one behind ssh's back.
//
//	your program ── Enter ──▶ PID 1 of the operator's namespaces: passes signals on, reaps
//	                            └─ your program again (Inside() is true) ── Start
//	                                 ├─ PID 1 of game-1: reaps ── sshd, and all that runs there
//	                                 └─ PID 1 of game-2 …          eth0 ═ lan-2 ═ bridge lan0 ═ the operator
//
// No namespace has a name and nothing is written outside Options.Dir. So when the operator's first process is gone, however it
// went, the kernel ends every process on every machine and takes the links, the bridge and the mounts along: even after kill -9
// of everything there is nothing to clean up.
//
// What is not private is shared with the host and with the other machines: /usr, /tmp, users, time, and the load on the CPU.
//
// It must not know what a rollout is, nor what Pomelo is.
package lan
