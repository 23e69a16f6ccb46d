package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signalled is a signal as the cause of a context's end.
type signalled struct{ sig syscall.Signal }

func (s signalled) Error() string { return s.sig.String() }

// interrupts are the signals that end a command: the first lets it come to a safe point, the second ends the process at once.
type interrupts struct {
	got chan os.Signal

	mu   sync.Mutex
	back func() // gives the terminal back before the process is ended at once
}

// interruptible gives a context that the first SIGINT or SIGTERM ends; the second ends the process at once. SIGHUP is ignored: a lost
// terminal must not stop a rollout half-way.
func interruptible(parent context.Context) (context.Context, *interrupts, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGHUP)
	i := &interrupts{got: make(chan os.Signal, 2)}
	signal.Notify(i.got, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-i.got:
				sig, _ := s.(syscall.Signal)
				if n > 0 {
					i.giveBack()
					os.Exit(128 + int(sig))
				}
				cancel(signalled{sig})
			case <-done:
				return
			}
		}
	}()
	return ctx, i, func() {
		signal.Stop(i.got)
		close(done)
		cancel(nil)
	}
}

// deafen makes a write to a pipe whose reader has gone fail, where it would end the process. It is for whoever carries a run out: a lost terminal takes
// the reader of `rollout start | tee log` with it, and what is printed is never a reason to stop a rollout half-way.
func deafen() { signal.Ignore(syscall.SIGPIPE) }

// press does what Ctrl-C does, where a view has the terminal and Ctrl-C is only a key.
func (i *interrupts) press() {
	select {
	case i.got <- syscall.SIGINT:
	default: // two are on their way
	}
}

// before says what is to be done before the process is ended at once.
func (i *interrupts) before(back func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.back = back
}

func (i *interrupts) giveBack() {
	i.mu.Lock()
	back := i.back
	i.mu.Unlock()
	if back != nil {
		back()
	}
}

// cause gives the signal that ended ctx; 0 where none did.
func cause(ctx context.Context) syscall.Signal {
	var s signalled
	if errors.As(context.Cause(ctx), &s) {
		return s.sig
	}
	return 0
}
