package hosts

import (
	"context"
	"time"
)

// Kill is the machine's sudden death: every process of the game is killed with -9, so is every command that runs there over
// ssh, ssh connections break, and its ssh port refuses. A real sshd started by the caller is the caller's to end.
func (h *Hosts) Kill(machine string) error {
	m, err := h.machine(machine)
	if err != nil {
		return err
	}
	if s := h.SSH[machine]; s != nil {
		s.powerOff()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return h.endProcesses(ctx, m)
}

// Revive switches a killed machine on again: ssh answers. The game does not start by itself; see Act.
func (h *Hosts) Revive(ctx context.Context, machine string) error {
	if _, err := h.machine(machine); err != nil {
		return err
	}
	if s := h.SSH[machine]; s != nil {
		return s.Mend(ctx)
	}
	return nil
}
