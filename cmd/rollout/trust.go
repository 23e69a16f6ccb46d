package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/remote"
)

func newTrustCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "trust [MACHINE...]",
		Short: "Add the machines' host keys to known_hosts, after showing them",
		Long: `Ask the machines (all of rollout.yaml, or those named) for their host keys, show the fingerprints, and add them to the file that
ssh.known_hosts names. Compare them with what the machines themselves say before you answer yes:
ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there.`,
		RunE: func(cmd *cobra.Command, args []string) error { return runTrust(cmd.Context(), e, args) },
	}
}

// trustDoc is the result of trust for programs.
type trustDoc struct {
	Schema string     `json:"schema"`
	File   string     `json:"file"` // the known_hosts they were added to
	Keys   []trustKey `json:"keys"`
}

// trustKey is the host key of one machine.
type trustKey struct {
	Machine     string `json:"machine"`
	Host        string `json:"host"`
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
}

func runTrust(ctx context.Context, e *env, names []string) error {
	s, err := e.site()
	if err != nil {
		return err
	}
	ms, err := s.machines()
	if err != nil {
		return usageError{err}
	}
	if _, ferr := s.cfg.Fleet(); errors.Is(ferr, config.ErrNeedsMasters) { // the others are known by their masters alone
		for _, n := range names {
			if !slices.ContainsFunc(ms, func(m groups.Machine) bool { return m.Host == n }) {
				ms = append(ms, groups.Machine{Name: n, Host: n})
			}
		}
	}
	if ms, err = named(ms, names); err != nil {
		return err
	}
	pool, err := s.pool(ms)
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = pool.Close() }()
	var lines []string
	var faults []error
	doc := trustDoc{Schema: "rollout.trust/v1", File: s.knownHosts(), Keys: []trustKey{}}
	for _, m := range ms {
		keys, err := pool.Scan(ctx, m.Host)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, k := range keys {
			shown := e.stdout
			if !e.text() {
				shown = e.stderr // they are looked at before they are trusted
			}
			_, _ = fmt.Fprintf(shown, "%-12s %-22s %s\n", m.Name, k.Type, k.Fingerprint)
			lines = append(lines, k.Line)
			doc.Keys = append(doc.Keys, trustKey{m.Name, m.Host, k.Type, k.Fingerprint})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return refusedError{err}
	}
	if err := e.confirm(fmt.Sprintf("Add these %d keys to %s?", len(lines), doc.File)); err != nil {
		return err
	}
	if err := remote.AddKnown(doc.File, lines); err != nil {
		return err
	}
	e.say("added to %s", doc.File)
	if e.text() {
		return nil
	}
	return e.document(doc)
}

// knownHosts is the file host keys are added to.
func (s *site) knownHosts() string {
	if s.cfg.SSH.KnownHosts == (config.SSH{}).KnownHosts || s.cfg.SSH.KnownHosts == "~/.ssh/known_hosts" {
		home, ok := s.env.lookup("HOME")
		if !ok {
			home, _ = os.UserHomeDir()
		}
		return filepath.Join(home, ".ssh", "known_hosts")
	}
	return s.cfg.Local(s.cfg.SSH.KnownHosts)
}

// named gives the machines of those names, or all where none is named.
func named(ms []groups.Machine, names []string) ([]groups.Machine, error) {
	if len(names) == 0 {
		return ms, nil
	}
	var some []groups.Machine
	for _, n := range names {
		i := slices.IndexFunc(ms, func(m groups.Machine) bool { return m.Name == n || m.Host == n })
		if i < 0 {
			return nil, usagef("%s is no machine of rollout.yaml", word(n))
		}
		some = append(some, ms[i])
	}
	return some, nil
}
