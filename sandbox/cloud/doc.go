// Package cloud is a pretend UCloud on loopback: the load-balancer API as its
// documents describe it, and the balancer itself, which carries real TCP
// connections to real listeners.
//
// Most readers need [Start], [Options], [Balancer], [Cloud.Break] with a
// [Fault], [Cloud.Snapshot] and [Cloud.Requests].
//
//	API answer ──► told history ──► describe, ReadLag late
//	             └► real history ──► worker 0 at once … last worker after Spread
//
// Every backend has two histories: what the API tells about it and what the
// data plane acts on. They differ only while a fault makes the API lie. All
// lags (read-after-write, workers that hear late, health published late) are
// looks into these histories at an earlier moment, so nothing waits for them
// and no goroutine carries a change around.
//
// With [Options].Plane a data plane of the caller's, such as HAProxy, takes the
// built-in balancer's place behind the same API.
//
// Where UCloud's documents are silent or contradict each other, the
// alternatives are fields of [Options]; their comments say what is documented
// and what is assumed.
//
// The package must not know the client it is tested with, what a rollout,
// plan, machine or player is, nor any package but the standard library: its
// users meet it at the wire only. It dials nothing but loopback addresses, and
// nothing at all with a [Plane].
package cloud
