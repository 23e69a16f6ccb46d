package live

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

const (
	kept     = 500             // lines of events that can be read back
	patience = 3 * time.Second // for a terminal that does not take the last picture
	perFrame = 250 * time.Millisecond
)

// Config is what a view has of the world around it.
type Config struct {
	In      io.Reader // the terminal's keys
	Out     io.Writer // the terminal
	Environ []string  // what TERM and its like are in
	Color   bool      // colours beside the words and glyphs
	Leaves  string    // what q does: plain lines
	// Ask brings a request to the run; it may take its time. Without it there is no key for one.
	Ask func(plans.Request) error
	// Interrupt does what Ctrl-C does where no view has the terminal.
	Interrupt func()
	Now       func() time.Time // nil: time.Now
}

// View is a run on a terminal.
type View struct {
	cfg     Config
	program *tea.Program
	done    chan struct{}

	mu     sync.Mutex
	scene  scene
	over   bool // the run has stopped
	closed bool // the terminal is given back: nothing is shown any more
}

// scene is all that a picture is drawn of.
type scene struct {
	state   plans.State
	options view.StatusOptions
	lines   []string // of the newest events, clean, the oldest first
}

// Start takes the terminal over, in a goroutine that ends with the view, and shows s.
func Start(cfg Config, s plans.State, o view.StatusOptions) *View {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	v := &View{cfg: cfg, done: make(chan struct{}), scene: scene{state: s, options: o}}
	m := &model{view: v, now: cfg.Now()}
	v.program = tea.NewProgram(m, tea.WithInput(cfg.In), tea.WithOutput(v.lossy(cfg.Out)), tea.WithEnvironment(cfg.Environ), tea.WithoutSignalHandler(), tea.WithFPS(20))
	go v.run(m)
	return v
}

// run shows the view until it ends, and leaves the last picture as text, unless the terminal is gone or there is none.
func (v *View) run(m *model) {
	defer close(v.done)
	_, err := v.program.Run()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if err == nil && m.broken == nil {
		_, _ = io.WriteString(v.cfg.Out, m.last(v.scene))
	}
	if m.broken != nil {
		_, _ = fmt.Fprintf(v.cfg.Out, "the view has a defect and is closed (%v); the run goes on\n", m.broken)
	}
}

// Hear takes in the state after an event and the line that tells of it, which may be empty. It is false where the view has ended.
func (v *View) Hear(s plans.State, line string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return false
	}
	v.scene.state = s
	v.scene.add(line)
	return true
}

// Say adds a line that is of no event. It is false where the view has ended.
func (v *View) Say(line string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.closed {
		v.scene.add(line)
	}
	return !v.closed
}

func (s *scene) add(line string) {
	if line == "" {
		return
	}
	if len(s.lines) >= 2*kept {
		s.lines = append([]string(nil), s.lines[len(s.lines)-kept:]...)
	}
	s.lines = append(s.lines, view.OneLine(line))
}

// Know replaces what the run's own journal does not tell.
func (v *View) Know(o view.StatusOptions) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scene.options = o
}

// look gives what is to be drawn now, and whether the run has stopped.
func (v *View) look() (scene, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.scene
	s.lines = s.lines[max(0, len(s.lines)-kept):]
	return s, v.over
}

// Close ends the view, since the run has stopped, and waits until the terminal is given back and the last picture is on it. A terminal that
// takes nothing any more is not waited for.
func (v *View) Close() {
	v.mu.Lock()
	v.over = true
	v.mu.Unlock()
	v.wait(patience)
}

// Kill gives the terminal back at once: the process is about to exit.
func (v *View) Kill() {
	go v.program.Kill()
	v.wait(patience / 3)
}

func (v *View) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-v.done:
	case <-t.C:
	}
}

// Done is closed when the view has ended and the terminal is given back.
func (v *View) Done() <-chan struct{} { return v.done }

// screen is a terminal that can be drawn on.
type screen interface {
	io.ReadWriteCloser
	Fd() uintptr
}

// lossy is a terminal that may go away: the first write that fails ends the view, since nobody sees it any more.
type lossy struct {
	screen
	lost func()
}

func (l lossy) Write(b []byte) (int, error) {
	n, err := l.screen.Write(b)
	if err != nil {
		l.lost()
	}
	return n, err
}

func (v *View) lossy(out io.Writer) io.Writer {
	if s, ok := out.(screen); ok {
		return lossy{s, sync.OnceFunc(func() { go v.program.Kill() })}
	}
	return out
}

// text gives lines as text with an end to each.
func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }
