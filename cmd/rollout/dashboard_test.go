package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// TestADashboardNeverHoldsARunUp: where its port is in use that is said and no more; where it is not, it is served until the run has ended.
func TestADashboardNeverHoldsARunUp(t *testing.T) {
	var said bytes.Buffer
	s := &site{env: &env{stderr: &said}, dir: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	s.cfg.Service = "game"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s.present(t.Context(), taken.Addr().String())()
	if !strings.Contains(said.String(), "address already in use") || !strings.Contains(said.String(), "the run goes on without") {
		t.Errorf("of a port in use it is said: %q", said.String())
	}
	said.Reset()
	end := s.present(t.Context(), "127.0.0.1:0")
	address := regexp.MustCompile(`http://127.0.0.1:\d+/`).FindString(said.String())
	r, err := http.Get(address + "metrics")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%q is not served: %v", said.String(), err)
	}
	_ = r.Body.Close()
	end()
	if _, err := http.Get(address); err == nil {
		t.Error("it is served after the end of the run")
	}
	s.present(t.Context(), "")()
}

// TestTheLogOfAJobGetsNoToken: it is read by more people than may look at what machines print.
func TestTheLogOfAJobGetsNoToken(t *testing.T) {
	for system, token := range map[string]bool{"": true, "CI": false, "GITHUB_ACTIONS": false, "GITLAB_CI": false, "JENKINS_URL": false} {
		j := newJob(t, "start", system)
		s := &site{env: &j.env, dir: t.TempDir(), log: slog.New(slog.DiscardHandler)}
		s.cfg.Service = "game"
		s.present(t.Context(), "127.0.0.1:0")()
		said := j.errs.String()
		if !regexp.MustCompile(`^dashboard of game: http://127\.0\.0\.1:\d+/`).MatchString(said) {
			t.Errorf("%q: it is not said where it is: %q", system, said)
		}
		if regexp.MustCompile(`[A-Z2-7]{26}`).MatchString(said) != token || strings.Contains(said, "`rollout dashboard` on this host") == token {
			t.Errorf("%q: got %q; want a token: %v", system, said, token)
		}
	}
}

// leaving is where somebody reads one line and leaves.
type leaving struct {
	bytes.Buffer
	leave func()
}

func (l *leaving) Write(b []byte) (int, error) {
	defer l.leave()
	return l.Buffer.Write(b)
}

func TestADashboardSaysWhereItIs(t *testing.T) {
	for args, want := range map[string]string{
		"dashboard --listen 127.0.0.1:0":         `^dashboard of game: http://127\.0\.0\.1:\d+/#\w{26}\n$`,
		"dashboard --listen 127.0.0.1:0 -o json": `"address": "http://127\.0\.0\.1:\d+/#\w{26}"`,
	} {
		d := newDesk(t)
		ctx, cancel := context.WithCancel(t.Context())
		out := &leaving{leave: cancel}
		e := &env{stdin: strings.NewReader(""), stdout: out, stderr: io.Discard, lookup: d.lookup}
		code := e.run(ctx, append([]string{"-c", d.file, "--state-dir", d.state}, strings.Fields(args)...))
		if code != 0 || !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: exit %d, %q", args, code, out.String())
		}
		if names, err := proof.Output(out.Bytes()); strings.HasSuffix(args, "json") && (err != nil || !slices.Equal(names, []string{"dashboard"})) {
			t.Errorf("%s: %v, %v", args, names, err)
		}
	}
}
