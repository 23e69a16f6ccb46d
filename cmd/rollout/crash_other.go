//go:build !unix

package main

// abortOnPanic does nothing where no process ends by a signal: there a panic that nobody takes up ends it with exit 2 (docs/exit-codes.md).
func abortOnPanic() {}
