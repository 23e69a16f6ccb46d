package main

import (
	"testing"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/plans"
)

// TestAWayBackThatWasHeldMayBeAskedForAgain: the release that it brings is behind what is left, also where the newest run brings it.
func TestAWayBackThatWasHeldMayBeAskedForAgain(t *testing.T) {
	s := &site{cfg: config.Config{Deploy: &config.Deploy{Run: "x"}}}
	newest := newSaga(func(p *plans.Plan) { p.Was, p.Back = "v1.9.0", true }).s // it brings v1.8.2
	newest.Touched, newest.Phase = true, plans.PhaseHeld
	if a, err := s.previous(t.Context(), newest, "v1.8.2"); err != nil || a.ref != "v1.8.2" || a.bad == "" {
		t.Errorf("held: got %+v, %v, want v1.8.2 and a way back", a, err)
	}
	newest.Phase = plans.PhaseDone
	if _, err := s.previous(t.Context(), newest, "v1.8.2"); exitCode(err, 0) != 3 {
		t.Errorf("done: got %v, want it refused", err)
	}
}

// TestARollbackNeverGoesForward: the release that the newest rollout has brought is no way back, whoever names it.
func TestARollbackNeverGoesForward(t *testing.T) {
	s := &site{cfg: config.Config{Deploy: &config.Deploy{Run: "x"}}}
	for name, row := range map[string]struct {
		was, to string
		ref     string
		code    int
		says    string
	}{
		"the one before":         {was: "v1.8.1", ref: "v1.8.1"},
		"another one":            {was: "v1.8.1", to: "v1.8.0", ref: "v1.8.0"},
		"a job's own tag":        {was: "v1.8.1", to: "v1.8.2", code: 3, says: "v1.8.2 is what the newest rollout brings; name another one with --to RELEASE"},
		"the same one as before": {was: "v1.8.2", code: 3, says: "v1.8.2 is what the newest rollout brings; name another one with --to RELEASE"},
		"different ones":         {was: "v1.8.0+v1.8.1", code: 3, says: "before the newest rollout the machines ran different releases (v1.8.0+v1.8.1): name one with --to RELEASE"},
	} {
		newest := newSaga(func(p *plans.Plan) { p.Was = row.was }).s // it brings v1.8.2
		a, err := s.previous(t.Context(), newest, row.to)
		switch {
		case exitCode(err, 0) != row.code || a.ref != row.ref:
			t.Errorf("%s: got %q, %v, want %q and exit %d", name, a.ref, err, row.ref, row.code)
		case err != nil && err.Error() != row.says:
			t.Errorf("%s: got %v, want %s", name, err, row.says)
		}
	}
}
