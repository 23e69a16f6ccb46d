// Package drain waits for long connections to end.
//
// Wait asks a Counter again and again, and ends at zero (few enough sessions,
// counted in full and for long enough) or at the deadline, and says which. A
// count that cannot be read is not zero: it is told, asked for again, and
// never lets a drain end. Curve foretells when it will be over.
//
// Three counters come with it. Sockets holds one channel to each machine and
// has a small script count the established connections there, with what every
// Linux has; Command runs a command on each machine; HTTP reads a page of each.
//
// The package must not know what a machine, a group or a plan is, nor how a
// command reaches a machine: hosts are strings here, and a Shell is what the
// caller has.
package drain
