package hosts

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options is the world's machines and what runs on them.
type Options struct {
	Dir         string        // where everything is written; required
	Binary      string        // absolute path of the program that reaches Process; required, commonly os.Executable()
	Args        []string      // the arguments that lead it to Process: "sandbox", "process"
	Machines    []Machine     // required; all on loopback
	Release     string        // the release on every machine's disk at the start; required
	EmbeddedSSH bool          // run an SSHServer for each machine; false: the caller runs sshd with SSHDConfig, or none
	Split       bool          // one process per port, instead of one per role
	StartWithin time.Duration // how long game.sh waits for the ports; whole seconds, 0: 10 s
	KillAfter   time.Duration // how long game.sh waits between TERM and KILL; whole seconds, 0: 5 s
	SlowBy      time.Duration // the delay of the SSHSlow fault; 0: 300 ms
}

// Hosts is the running machines. Its fields are for reading only.
type Hosts struct {
	Machines   []Machine             // as asked for, with SSHPort and Dir filled in
	SSH        map[string]*SSHServer // by the machine's name; empty without EmbeddedSSH
	ClientKey  string                // path of the private key that every machine lets in
	Authorized string                // path of authorized_keys
	HostKey    map[string]string     // by the machine's name: path of its ed25519 host key
	KnownHosts string                // path of a known_hosts file with all machines' keys

	lease *os.File
	once  sync.Once
	ended error
}

// Start writes the machines' directories under o.Dir, starts their ssh servers, and starts the game on all of them at the
// same time by their own game.sh. ctx bounds the starting only; Close ends everything. After an error nothing is left.
// What still runs of a former world in the same directory is ended first.
func Start(ctx context.Context, o Options) (*Hosts, error) {
	if o.Dir == "" || o.Release == "" || !filepath.IsAbs(o.Binary) {
		return nil, errors.New("sandbox machines: Dir, Release and an absolute Binary are required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox machines: %w", err)
	}
	o.Dir = dir
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		return nil, fmt.Errorf("sandbox machines: %w", err)
	}
	machines, err := settle(dir, o.Machines)
	if err != nil {
		return nil, fmt.Errorf("sandbox machines: %w", err)
	}
	h := &Hosts{Machines: machines, SSH: map[string]*SSHServer{}, HostKey: map[string]string{}}
	if err := h.build(ctx, o); err != nil {
		//nolint:contextcheck // what was started is ended whatever became of ctx
		return nil, errors.Join(fmt.Errorf("sandbox machines: %w", err), h.Close())
	}
	return h, nil
}

func (h *Hosts) build(ctx context.Context, o Options) error {
	if err := h.endProcesses(ctx); err != nil {
		return err
	}
	var err error
	if h.lease, err = grantLease(o.Dir); err != nil {
		return err
	}
	for _, m := range h.Machines {
		if err := furnish(m, h.Machines, o, h.lease.Name()); err != nil {
			return err
		}
	}
	if err := h.openSSH(ctx, o); err != nil {
		return err
	}
	return h.each(func(m Machine) error {
		_, err := h.Act(ctx, m.Name, "start")
		return err
	})
}

// openSSH writes the keys and starts the ssh servers, which may still choose their ports.
func (h *Hosts) openSSH(ctx context.Context, o Options) error {
	keys := filepath.Join(o.Dir, "keys")
	h.ClientKey, h.Authorized = filepath.Join(keys, "client"), filepath.Join(keys, "authorized_keys")
	h.KnownHosts = filepath.Join(keys, "known_hosts")
	client, err := keep(h.ClientKey, "sandbox", newEd25519)
	if err != nil {
		return err
	}
	if err := os.WriteFile(h.Authorized, ssh.MarshalAuthorizedKey(client.PublicKey()), 0o600); err != nil {
		return err
	}
	var known string
	for i := range h.Machines {
		m := &h.Machines[i]
		var signers []ssh.Signer
		for _, kind := range []struct { // in this order, so that a client is always shown the same one first
			name   string
			create func() (crypto.Signer, error)
		}{{"ed25519", newEd25519}, {"ecdsa", newECDSA}} {
			signer, err := keep(filepath.Join(keys, "host_"+m.Name+"_"+kind.name), m.Name, kind.create)
			if err != nil {
				return err
			}
			signers = append(signers, signer)
		}
		h.HostKey[m.Name] = filepath.Join(keys, "host_"+m.Name+"_ed25519")
		if o.EmbeddedSSH {
			s := NewSSHServer(SSHConfig{Machine: *m, HostKeys: signers, AuthorizedKeys: h.Authorized, SlowBy: o.SlowBy})
			if err := s.Start(ctx); err != nil {
				return err
			}
			h.SSH[m.Name], m.SSHPort = s, s.Port()
		}
		for _, signer := range signers {
			known += KnownHosts(*m, signer.PublicKey())
		}
	}
	return os.WriteFile(h.KnownHosts, []byte(known), 0o600)
}

// Close ends the ssh servers, every command they run, and every process of the game, including those that somebody's
// game.sh started later; it returns when they are gone. Closing twice is fine.
func (h *Hosts) Close() error {
	h.once.Do(func() {
		for _, s := range h.SSH {
			h.ended = errors.Join(h.ended, s.Close())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		h.ended = errors.Join(h.ended, h.endProcesses(ctx))
		if h.lease != nil { // whatever no pid file names ends now
			h.ended = errors.Join(h.ended, os.Remove(h.lease.Name()), h.lease.Close())
		}
	})
	return h.ended
}

// each does the same on all machines, sixteen at once, and waits for all.
func (h *Hosts) each(do func(Machine) error) error {
	errs := make([]error, len(h.Machines))
	free := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for i, m := range h.Machines {
		free <- struct{}{}
		wg.Go(func() {
			errs[i] = do(m)
			<-free
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (h *Hosts) machine(name string) (Machine, error) {
	for _, m := range h.Machines {
		if m.Name == name {
			return m, nil
		}
	}
	return Machine{}, fmt.Errorf("machine %q: there is none of that name", name)
}
