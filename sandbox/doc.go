// Package sandbox is a whole pretend world on loopback: UCloud's API and a balancer, machines with ssh and real game processes, and
// players. A newcomer sees a rollout in it without an account, and the tests prove promises in it.
//
// [Start] brings a [World] up and writes what a rollout needs to find its way: rollout.yaml, keys, known_hosts and credentials.
// [World.Break] plants a fault from the menu; [World.Report] says what really happened, whatever a rollout believes.
//
// It must never import what carries a rollout out (ulb, remote, pomelo, steps): they meet only at the wire.
package sandbox
