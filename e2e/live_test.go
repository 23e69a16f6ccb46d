//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// screen is a command on a real terminal, and what a person would see there.
type screen struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	over chan struct{} // the terminal has said all

	mu  sync.Mutex
	emu *vt.Emulator
	raw strings.Builder
}

// show runs a command with a terminal of its own for everything.
func (w *world) show(t *testing.T, width, height int, args ...string) *screen {
	t.Helper()
	return w.showOn(t, "xterm-256color", width, height, args...)
}

func (w *world) showOn(t *testing.T, term string, width, height int, args ...string) *screen {
	t.Helper()
	x := &screen{t: t, cmd: w.command(args...), emu: vt.NewEmulator(width, height), over: make(chan struct{})}
	x.cmd.Env = append(x.cmd.Env, "TERM="+term, "CI=", "NO_COLOR=")
	tty, err := pty.StartWithSize(x.cmd, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)})
	if err != nil {
		t.Fatal(err)
	}
	x.tty = tty
	go func() { _, _ = io.Copy(tty, x.emu) }() // what a terminal answers to questions about itself
	go func() {
		defer close(x.over)
		b := make([]byte, 64<<10)
		for {
			n, err := tty.Read(b)
			x.mu.Lock()
			x.raw.Write(b[:n])
			_, _ = x.emu.Write(b[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		tty.Close()
		<-x.over
		_ = x.emu.InputPipe().(io.Closer).Close()
	})
	return x
}

// shown gives what is on the screen, and whether a view has taken all of it.
func (x *screen) shown() (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.emu.String(), x.emu.IsAltScreen()
}

// shows waits until the screen has all of the texts, on a view or not.
func (x *screen) shows(view bool, texts ...string) {
	x.t.Helper()
	x.until(fmt.Sprintf("%q", texts), func(got string, alt bool) bool {
		return alt == view && !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(got, s) })
	})
}

// until waits until what is on the screen is so.
func (x *screen) until(what string, so func(got string, view bool) bool) {
	x.t.Helper()
	var got string
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var view bool
		if got, view = x.shown(); so(got, view) {
			return
		}
	}
	x.t.Fatalf("the screen does not show %s; it shows\n%s", what, got)
}

func (x *screen) types(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, keys); err != nil {
		x.t.Fatal(err)
	}
}

// resize changes the size of the terminal.
func (x *screen) resize(width, height int) {
	x.t.Helper()
	x.mu.Lock()
	x.emu.Resize(width, height)
	x.mu.Unlock()
	if err := pty.Setsize(x.tty, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the command's end, demands its exit code, and gives all that stays on the terminal: what was sent to it beside the views.
func (x *screen) ends(code int) string {
	x.t.Helper()
	err := x.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		x.t.Fatal(err)
	}
	<-x.over
	x.mu.Lock()
	defer x.mu.Unlock()
	var stays strings.Builder
	for i, part := range strings.Split(x.raw.String(), "\x1b[?1049h") {
		if _, after, ok := strings.Cut(part, "\x1b[?1049l"); ok && i > 0 {
			part = after
		}
		stays.WriteString(part)
	}
	if got := x.cmd.ProcessState.ExitCode(); got != code {
		x.t.Fatalf("exit %d, want %d; on the terminal:\n%s", got, code, stays.String())
	}
	if x.emu.IsAltScreen() {
		x.t.Error("the terminal is not given back")
	}
	return stays.String()
}

var halfGone = regexp.MustCompile(`[4-7]\d% gone`)

// TestARunOnATerminalIsWatchedLeftAndWatchedAgain: one run to its end, on a terminal of every size, and a second terminal beside it.
func TestARunOnATerminalIsWatchedLeftAndWatchedAgain(t *testing.T) {
	t.Parallel()
	w := bring(t, pictured("--ports", "2", "--players", "40", "--game", "5s")...)
	each := len(w.weights()) / 2
	w.before()
	x := w.show(t, 120, 40, "start", "--ref", "v1.1.0", "--yes")
	x.shows(true, "╭─ group1", "DRAINING", "sessions left on group2", "┼", "if it fails now", "q plain lines")
	if picturing() {
		x.until("a forecast half-way", func(got string, _ bool) bool { return halfGone.MatchString(got) && strings.Contains(got, "empty in ~") })
	}
	x.resize(120, 32)
	x.shows(true, " rollout sandbox", "╭─ group1", "q plain lines")
	x.picture("live")
	x.resize(80, 24)
	x.shows(true, " ── group1", "a abort")
	x.resize(50, 12)
	x.shows(true, fmt.Sprintf("group1 %d/%d on", each, each), "fails now")
	x.picture("live-small")
	x.resize(120, 40)
	x.types("l")
	x.shows(true, "Events of run")
	x.types("l?")
	x.shows(true, "as `rollout abort`")
	x.types("?q")
	x.shows(false, "TAKES ALL NEW CONNECTIONS")

	y := w.show(t, 100, 30, "status")
	y.shows(true, "╭─ group1", "q leave it running")
	y.types("q")
	if left := y.ends(0); !strings.Contains(left, "╭─ group1") || strings.Contains(left, "Done:") {
		t.Errorf("a status that was left:\n%s", left)
	}
	z := w.showOn(t, "dumb", 80, 24, "status")
	y = w.show(t, 80, 24, "status", "--exit-code")
	y.shows(true, "── group1")

	stays := x.ends(0)
	for _, want := range []string{"Update sandbox", "╭─ group1", "restart  ok group1", "Done: "} {
		if want != "Update sandbox" && !strings.Contains(stays, want) {
			t.Errorf("no %q among what stays on the terminal:\n%s", want, stays)
		}
	}
	if stays := y.ends(0); !strings.Contains(stays, "Done: ") || !strings.Contains(stays, "DONE") {
		t.Errorf("a status that watched to the end:\n%s", stays)
	}
	if stays := z.ends(0); strings.Contains(stays, "\x1b") || !strings.Contains(stays, "restart  ok group1") || !strings.Contains(stays, "Done: ") {
		t.Errorf("a status on a terminal that cannot be drawn on:\n%s", stays)
	}
	w.nobodyNoticed()
}

// TestARunOnATerminalIsStoppedByItsKeys: by Ctrl-C, by an abort that is confirmed, by the loss of the terminal not.
func TestARunOnATerminalIsStoppedByItsKeys(t *testing.T) {
	t.Parallel()
	w := bring(t, "--ports", "2", "--players", "10", "--game", "5m", "--deadline", "10m")
	weights := w.weights()
	x := w.show(t, 80, 24, "start", "--yes")
	x.shows(true, "DRAINING")
	x.types("\x03")
	if stays := x.ends(6); !strings.Contains(stays, "Interrupted: ") {
		t.Errorf("after Ctrl-C:\n%s", stays)
	}

	x = w.show(t, 50, 12, "resume")
	x.shows(true, "left: ", "a abort")
	x.types("a")
	x.shows(true, "Abort: ", "[y/N]")
	x.types("n")
	x.shows(true, "not aborted")
	x.types("ay")
	if stays := x.ends(7); !strings.Contains(stays, "Aborted: ") {
		t.Errorf("after an abort:\n%s", stays)
	}
	w.asFound(weights)

	cmd := w.command("start", "--yes") // start | cat: a terminal for its keys, and none for what it prints
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "CI=")
	board, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer board.Close()
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	w.until("a drain", draining)
	_ = cmd.Process.Signal(os.Interrupt)
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 6 || strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "drain ") {
		t.Errorf("start | cat: exit %d\n%q", cmd.ProcessState.ExitCode(), out.String())
	}

	x = w.show(t, 120, 40, "resume")
	x.shows(true, "DRAINING")
	x.tty.Close()
	<-x.over
	s, _ := w.status()
	if s.Phase != "running" {
		t.Errorf("the run is %s after its terminal has gone", s.Phase)
	}
	contains(t, w.must(0, "abort", "--yes"), "Aborted: ")
	_ = x.cmd.Wait()
	w.asFound(weights)
}
