// Command rollout updates long-connection services on machines behind a UCloud load balancer, one group at a time, and cuts nobody.
//
// This package is flags, wiring and exit codes: it is the only one that knows cobra, and the only one that knows every other package.
// Each command is a file of four parts: newXCommand (help and wiring), xOptions with addFlags, check, and runX. What a
// command finds out is a value of another package; what it prints is drawn by package view; what it returns is an
// error, which exit.go alone turns into an exit code.
package main
