//go:build unix

package live

import (
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"github.com/seed59ee9cdc/rollout/plans"
)

// terminal is a real terminal of the kernel and what a person would see on it.
type terminal struct {
	t             *testing.T
	screen, board *os.File // what draws, and what the view has

	mu   sync.Mutex
	emu  *vt.Emulator
	all  strings.Builder
	gone chan struct{}
}

func sitDown(t *testing.T, width, height int) *terminal {
	t.Helper()
	screen, board, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, screen: screen, board: board, emu: vt.NewEmulator(width, height), gone: make(chan struct{})}
	x.size(width, height)
	go func() { _, _ = io.Copy(screen, x.emu) }() // what the terminal answers to questions about itself
	go func() {
		defer close(x.gone)
		b := make([]byte, 64<<10)
		for {
			n, err := screen.Read(b)
			x.mu.Lock()
			x.all.Write(b[:n])
			_, _ = x.emu.Write(b[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		board.Close()
		screen.Close()
		<-x.gone
		_ = x.emu.InputPipe().(io.Closer).Close()
	})
	return x
}

func (x *terminal) size(width, height int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.emu.Resize(width, height)
	if err := pty.Setsize(x.screen, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) config() Config {
	return Config{
		In: x.board, Out: x.board, Environ: []string{"TERM=xterm-256color", "COLORTERM=truecolor"}, Color: true, Leaves: "leave it running", Interrupt: func() {},
		Now: func() time.Time { return noon.Add(90 * time.Second) }, Ask: func(plans.Request) error { return nil },
	}
}

// shown gives the lines on the screen, without blanks at their ends, and whether it is the one beside the scrollback.
func (x *terminal) shown() ([]string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	lines := strings.Split(x.emu.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines, x.emu.IsAltScreen()
}

// awaits waits until the screen shows exactly a text.
func (x *terminal) awaits(want string) {
	x.t.Helper()
	var lines []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var alt bool
		if lines, alt = x.shown(); alt && text(lines) == want {
			return
		}
	}
	x.t.Fatalf("the screen shows\n%s\nwant\n%s", text(lines), want)
}

// stays gives what was printed after the view had given the terminal back, once that has come.
func (x *terminal) stays() string {
	x.t.Helper()
	x.board.Close()
	<-x.gone
	x.mu.Lock()
	defer x.mu.Unlock()
	all := strings.Split(x.all.String(), "\x1b[?1049l")
	if len(all) != 2 {
		x.t.Fatalf("the terminal was given back %d times", len(all)-1)
	}
	return strings.ReplaceAll(ansi.Strip(all[1]), "\r\n", "\n")
}

func ended(t *testing.T, v *View) {
	t.Helper()
	select {
	case <-v.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the view does not end")
	}
}

func TestATerminalShowsTheFrameAndKeepsTheLastOneAsText(t *testing.T) {
	for _, m := range moments(t) {
		if m.name == "nothing" || m.name == "many" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			x := sitDown(t, 120, 40)
			cfg := x.config()
			v := Start(cfg, m.state, m.options)
			for _, l := range m.scene.lines {
				v.Say(l)
			}
			picture := func(width, height int, foot string) string {
				return text(frame(m.scene, cfg.Now(), width, height, foot))
			}
			for _, size := range [][2]int{{120, 40}, {80, 24}, {50, 12}, {120, 40}} {
				x.size(size[0], size[1])
				if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
					t.Fatal(err)
				}
				x.awaits(picture(size[0], size[1], keys(cfg, size[0])))
			}
			v.Close()
			ended(t, v)
			if got, want := x.stays(), picture(120, 40, ""); got != want {
				t.Errorf("left on the terminal:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestQLeavesTheViewAndGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	m := moments(t)[1]
	x := sitDown(t, 80, 24)
	before, err := pty.GetsizeFull(x.board)
	if err != nil || before.Cols != 80 {
		t.Fatal(before, err)
	}
	v := Start(x.config(), m.state, m.options)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, alt := x.shown(); alt {
			break
		}
	}
	if _, err := io.WriteString(x.screen, "q"); err != nil {
		t.Fatal(err)
	}
	ended(t, v)
	if v.Hear(m.state, "late") {
		t.Error("a view that was left still hears")
	}
	if got := x.stays(); !strings.Contains(got, "TAKES ALL NEW CONNECTIONS") || strings.Contains(got, "q leave") {
		t.Errorf("left on the terminal:\n%s", got)
	}
}

// TestATerminalThatGoesAwayEndsTheViewAlone: what is heard after that is said to be unheard, so that somebody else may tell it.
func TestATerminalThatGoesAwayEndsTheViewAlone(t *testing.T) {
	t.Parallel()
	m := moments(t)[1]
	x := sitDown(t, 80, 24)
	cfg, began := x.config(), time.Now()
	cfg.Now = func() time.Time { return noon.Add(time.Hour * time.Since(began) / time.Second) } // there is always something to draw
	v := Start(cfg, m.state, m.options)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, alt := x.shown(); alt {
			break
		}
	}
	x.screen.Close()
	ended(t, v)
	if v.Hear(m.state, "late") {
		t.Error("a view whose terminal is gone still hears")
	}
	v.Close()
}

func TestWithoutColoursNoneIsSent(t *testing.T) {
	t.Parallel()
	m := moments(t)[1]
	x := sitDown(t, 120, 40)
	cfg := x.config()
	cfg.Color = false
	v := Start(cfg, m.state, m.options)
	x.awaits(text(frame(scene{state: m.state, options: m.options}, cfg.Now(), 120, 40, keys(cfg, 120))))
	v.Close()
	ended(t, v)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, part := range strings.Split(x.all.String(), "\x1b[")[1:] {
		if n := strings.IndexFunc(part, func(r rune) bool { return r >= '@' }); n > 0 && part[n] == 'm' && strings.Trim(part[:n], "0;") != "" && !strings.HasPrefix(part, ">") {
			t.Fatalf("a colour was sent: %q", part[:n+1])
		}
	}
}
