package ulb

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Config is what New needs. ID and Settings are required; everything else has a usable zero.
type Config struct {
	ID       string   // of the balancer: "ulb-…" (CLB), "alb-…" or "nlb-…" chooses the family; "id/name", as ucloud-cli prints it, is taken too
	VServers []string // ids of the only listeners to see and touch; empty: all of them
	Settings Settings // see Load

	Batch    bool // CLB only: UpdateBackendBatch, 20 backends a request. Its documents contradict each other, so it is not the default
	Parallel int  // requests of one Write at once; 0 is 8

	PerAttempt time.Duration // one HTTP attempt, from dialling to the end of the answer; 0 is 10 s
	Overall    time.Duration // one Read, with all its pages and attempts; 0 is 60 s
	Attempts   int           // of each request of a Read; 0 is 5. A request of a Write has one
	Wait       time.Duration // before the second attempt, doubled for each further one, up to 5 s; 0 is 200 ms

	Transport http.RoundTripper // the way out; nil is a pooled http.Transport that heeds HTTPS_PROXY. It must be safe for concurrent use
	UserAgent string            // added to the SDK's; empty is "rollout"
}

func (c Config) kind() string {
	kind, _, _ := strings.Cut(c.ID, "-")
	return kind
}

// withDefaults fills in what is not given.
func (c Config) withDefaults() Config {
	c.ID, _, _ = strings.Cut(strings.TrimSpace(c.ID), "/")
	c.VServers = slices.Clone(c.VServers)
	for i, id := range c.VServers {
		c.VServers[i], _, _ = strings.Cut(strings.TrimSpace(id), "/")
	}
	if c.Settings.BaseURL == "" {
		c.Settings.BaseURL = publicURL
	}
	c.Parallel = or(c.Parallel, 8)
	c.Attempts = or(c.Attempts, 5)
	c.PerAttempt = or(c.PerAttempt, 10*time.Second)
	c.Overall = or(c.Overall, time.Minute)
	c.Wait = or(c.Wait, 200*time.Millisecond)
	c.UserAgent = or(c.UserAgent, "rollout")
	return c
}

func or[T comparable](given, usual T) T {
	var zero T
	if given == zero {
		return usual
	}
	return given
}

// check says everything that is wrong with a Config.
func (c Config) check() error {
	var faults []error
	if kind, rest, _ := strings.Cut(c.ID, "-"); rest == "" || !slices.Contains([]string{"ulb", "alb", "nlb"}, kind) {
		faults = append(faults, fmt.Errorf("balancer %q: its id begins with ulb-, alb- or nlb-", c.ID))
	}
	if c.Batch && c.kind() != "ulb" {
		faults = append(faults, fmt.Errorf("balancer %s: batch is a choice for ulb- only", c.ID))
	}
	if c.Parallel < 0 || c.Attempts < 0 || c.PerAttempt < 0 || c.Overall < 0 || c.Wait < 0 {
		faults = append(faults, fmt.Errorf("balancer %s: a count or time below 0", c.ID))
	}
	if c.Settings.PublicKey == "" || c.Settings.PrivateKey == "" {
		faults = append(faults, &AuthError{Err: errors.New("no API key pair")})
	}
	if c.Settings.Region == "" {
		faults = append(faults, errors.New("region: not given"))
	}
	return errors.Join(append(faults, checkBaseURL(c.Settings.BaseURL))...)
}
