//go:build e2e

// Package pomelo is the promise of the README on real Pomelo: groups of machines that are network namespaces, with OpenSSH on port 59622, Pomelo
// from npm and HAProxy, updated by the built program while people play.
package pomelo
