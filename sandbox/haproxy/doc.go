// Package haproxy runs a real HAProxy as the data plane of the pretend UCloud:
// what its API is told becomes commands over HAProxy's stats socket, and the
// health it tells is that of HAProxy's own checks.
//
// Most readers need [Start], [Options] and [Proxy], which is a cloud.Plane.
//
// Start the proxy first, then the cloud, with the same ids of listeners and
// backends; close them in the opposite order.
//
//	Apply ──► show servers state ──► set server weight, state ──► look again
//
// Backends are in the configuration or not there at all: none is added or
// removed while HAProxy runs. The package must not know the API, nor what a
// rollout, machine or player is. It binds and dials what it is given: whoever
// gives addresses beyond loopback sees to it that the network is a closed one.
package haproxy
