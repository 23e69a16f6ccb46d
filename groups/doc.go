// Package groups is the vocabulary of a rollout: machines, and the two groups
// they form. While one group is updated the other serves everyone, so what
// matters here is that no machine is in both, that neither is empty, and that
// they are about the same size.
//
// Most readers need Machine, Fleet and Fleet.Check. Split makes a Fleet of one
// list of machines, and Match tells which machine each backend of the load
// balancer stands for.
//
// The package holds plain values and checks them. It must not know where they
// come from (a file, servers.json, a load balancer), how a machine is reached,
// or what a rollout does with it.
package groups
