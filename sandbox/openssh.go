package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// sshd is a real OpenSSH server of one machine.
type sshd struct {
	cmd *exec.Cmd
	log *os.File
}

// openSSH starts a real sshd for every machine and waits until each answers.
func (w *World) openSSH(ctx context.Context) error {
	for _, m := range w.Hosts.Machines {
		s, err := startSSHD(w.o.SSHD, m, w.Hosts.HostKey[m.Name], w.Hosts.Authorized)
		if err != nil {
			return fmt.Errorf("sshd of %s: %w", m.Name, err)
		}
		w.sshds = append(w.sshds, s)
	}
	for _, m := range w.Hosts.Machines {
		if err := answers(ctx, m.SSHAddr()); err != nil {
			return fmt.Errorf("sshd of %s (%s): %w", m.Name, filepath.Join(m.Dir, "sshd.log"), err)
		}
	}
	return nil
}

func startSSHD(binary string, m hosts.Machine, hostKey, authorized string) (*sshd, error) {
	if os.Getuid() == 0 { // sshd's privilege separation wants it, and only root needs it
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // G301: sshd demands that others may enter it
			return nil, err
		}
	}
	conf := filepath.Join(m.Dir, "sshd_config")
	if err := os.WriteFile(conf, []byte(hosts.SSHDConfig(m, hostKey, authorized)), 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(m.Dir, "sshd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-D", "-e", "-f", conf)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return &sshd{cmd, log}, nil
}

// stop ends the server; the connections it has served end with the machines.
func (s *sshd) stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	return errors.Join(err, s.log.Close())
}

// answers waits until somebody listens at addr.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		t := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}
