// Package rollout updates long-connection services on machines behind a UCloud load balancer, one group at a time, and cuts nobody.
//
// The command is in cmd/rollout. The packages beside it, and who may import whom, are drawn in docs/architecture.md and held by the
// tests of this package.
package rollout
