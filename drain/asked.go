package drain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	askWithin = 10 * time.Second
	askAtOnce = 16
)

// Asked is a Counter that asks each host anew at each look.
type Asked struct {
	// Within is how long one host may take to answer. 0: ten seconds.
	Within time.Duration
	// AtOnce is how many hosts are asked at the same time. 0: sixteen.
	AtOnce int

	hosts []string
	ask   func(ctx context.Context, host string) (int, error)
}

// Command counts by a command on each of hosts: run returns its output, which
// must be one whole number that is not negative, and an error if it did not end
// well. Anything else and the host is unread.
func Command(run func(ctx context.Context, host string) (string, error), hosts []string) *Asked {
	return &Asked{hosts: distinct(hosts), ask: func(ctx context.Context, host string) (int, error) {
		out, err := run(ctx, host)
		if err != nil {
			return 0, err
		}
		return parseCount(out)
	}}
}

func distinct(hosts []string) []string { return slices.Compact(slices.Sorted(slices.Values(hosts))) }

// Count asks every host and waits for their answers. It returns the zero
// Reading beside ctx's error.
func (a *Asked) Count(ctx context.Context) (Reading, error) {
	r := Reading{At: time.Now(), ByHost: map[string]int{}, Unread: map[string]string{}}
	if len(a.hosts) == 0 {
		r.Unread[""] = "there is no machine to count on"
		return r, nil
	}
	free := make(chan struct{}, max(1, cmp.Or(a.AtOnce, askAtOnce)))
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, host := range a.hosts {
		asking.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			n, err := a.answer(ctx, host)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.Unread[host] = err.Error()
				return
			}
			r.ByHost[host] = n
			r.Total += n
		})
	}
	asking.Wait()
	if ctx.Err() != nil {
		return Reading{}, ctx.Err()
	}
	r.Full = r.Known()
	return r, nil
}

// answer is the count of one host, or why there is none in time.
func (a *Asked) answer(ctx context.Context, host string) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	within := cmp.Or(a.Within, askWithin)
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	n, err := a.ask(asking, host)
	if err != nil && errors.Is(asking.Err(), context.DeadlineExceeded) {
		return 0, fmt.Errorf("no answer within %s", within)
	}
	return n, err
}

// parseCount reads a text that is one whole number and nothing else.
func parseCount(text string) (int, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return 0, errors.New("the answer is empty, not a number")
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return 0, fmt.Errorf("the answer is not a whole number: %q", clip(s))
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("the answer is too large a number: %q", clip(s))
	}
	return int(n), nil
}
