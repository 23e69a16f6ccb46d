// Package ulb speaks to one UCloud load balancer: which backends it has, which of them take new connections, with what
// weights, and how to change that.
//
// Most readers need five names: Load finds the credentials, New makes a Balancer, Balancer.Read tells what is, Reading.Check
// says whether it can be worked with, and Balancer.Write sends changes and says of each one whether it is Done, Refused or
// Unknown.
//
// For its callers a backend has one number, its weight: 0 takes no new connections, 1 and more does. How UCloud is told is
// kept in here. Off is Enabled=0, because that is the one way UCloud documents as leaving established connections alone;
// weights are sent only where the listener's method heeds them. The three families of balancers (CLB, ALB and NLB) differ
// in every action and field name; the id's first letters choose between them.
//
// A read is repeated until it succeeds or its time is over. A write is one HTTP request, never repeated in here: whoever
// asks for it looks first, asks again, and writes both down. A write without an answer is Unknown, not failed.
//
// The package must not know what a machine, a group or a plan is, nor keep anything between two calls that a reader would
// miss.
package ulb
