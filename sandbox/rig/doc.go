// Package rig is the game that rollout was first written for, for real: machines that are namespaces of this host (sandbox/lan), on each of them
// gates and connectors of Pomelo from npm (sandbox/app), HAProxy before the gates with the pretend UCloud's API before it
// (sandbox/haproxy, sandbox/cloud), and people who play (sandbox/players).
//
// Start belongs inside lan.Enter. A rollout that runs there finds everything it needs in Rig.Config.
//
// It must not know how a rollout works: both meet only at the wire.
package rig
