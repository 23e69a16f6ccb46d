// Package web is the dashboard: the state of a run in a browser, while it goes on and afterwards, and its figures for Prometheus.
//
//   - [Listen] takes a loopback address and gives a [Dashboard]; [Dashboard.URL] is what a person opens, [Dashboard.Serve] serves it.
//   - [Config] says where the runs are ([Source]) and who takes a request to pause or abort; without one the dashboard only reads.
//
// The pages are files of our own in the binary (app/): they work offline, under a content security policy that lets no inline script or style
// and no other address in. What a page shows comes as server-sent events: each message has the sequence number of the newest event in it as its
// id, the state drawn small, and every line since the last id, so that a page that was cut off catches up and shows no line twice.
//
// Every request passes three gates in this order: the Host it names, what the browser says of its origin, and the token of this start; what
// acts wants the token, or the key it was traded for, and not the cookie alone. Connections are few (crowd), since whoever opens one needs no token. The package
// must not know what a journal is or how a run is carried out, and nothing in it may hold a run up.
package web
