package live

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// page is what the screen shows.
type page int

const (
	onRun page = iota
	onLog
	onKeys
)

// model is what the person who watches has done so far, and the size of the terminal.
type model struct {
	view          *View
	now           time.Time
	width, height int
	page          page
	back          int           // lines of the log below the screen
	asking        bool          // whether to abort
	notice        string        // in the place of the keys
	broken        any           // a panic of ours
	took          time.Duration // to draw the last picture
}

// tick is time for another picture.
type tick struct{}

// answered tells what became of a request.
type answered struct {
	request plans.Request
	err     error
}

func (m *model) Init() tea.Cmd { return m.again() }

// again asks for the next picture, so that drawing takes a small part of the time however many machines there are.
func (m *model) again() tea.Cmd {
	return tea.Tick(max(perFrame, 20*m.took), func(time.Time) tea.Msg { return tick{} })
}

// Update takes in a key, a size or the time. What panics in here ends the view and not the run.
func (m *model) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	defer func() {
		if p := recover(); p != nil {
			m.broken, cmd = p, tea.Quit
		}
	}()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		m.now = m.view.cfg.Now()
		if _, over := m.view.look(); over || m.broken != nil {
			return m, tea.Quit
		}
		return m, m.again()
	case answered:
		m.notice = told(msg)
	case tea.KeyPressMsg:
		return m, m.key(strings.ToLower(msg.String()))
	}
	return m, nil
}

func told(a answered) string {
	switch {
	case a.err != nil:
		return "not asked: " + a.err.Error()
	case a.request == plans.AskPause:
		return "asked to pause after this step; p takes it back"
	case a.request == plans.AskResume:
		return "asked to go on after all"
	}
	return "asked to abort; the traffic goes back as it was found"
}

// key does what a key is for.
func (m *model) key(k string) tea.Cmd {
	if k == "ctrl+c" {
		m.notice = "interrupted: it leaves at the next safe point; Ctrl-C again leaves at once"
		m.asking = false
		m.view.cfg.Interrupt()
		return nil
	}
	m.notice = ""
	if m.asking {
		m.asking = false
		if k == "y" {
			return m.ask(plans.AskAbort)
		}
		m.notice = "not aborted"
		return nil
	}
	switch {
	case k == "l" || k == "?":
		at := map[string]page{"l": onLog, "?": onKeys}[k]
		if m.back = 0; m.page == at {
			at = onRun
		}
		m.page = at
	case m.page != onRun && (k == "q" || k == "esc"):
		m.page = onRun
	case m.page == onLog:
		m.scroll(k)
	case k == "q":
		return tea.Quit
	case m.view.cfg.Ask == nil:
	case k == "p":
		s, _ := m.view.look()
		switch s.state.Asked {
		case plans.AskAbort:
			m.notice = "abort has been asked for already"
		case plans.AskPause:
			return m.ask(plans.AskResume)
		default:
			return m.ask(plans.AskPause)
		}
	case k == "a":
		m.asking = true
	}
	return nil
}

// ask brings a request to the run, beside the drawing.
func (m *model) ask(r plans.Request) tea.Cmd {
	m.notice = fmt.Sprintf("asking to %s …", r)
	return func() (msg tea.Msg) {
		defer func() {
			if p := recover(); p != nil {
				msg = answered{r, fmt.Errorf("panic: %v", p)}
			}
		}()
		return answered{r, m.view.cfg.Ask(r)}
	}
}

// scroll moves through the log.
func (m *model) scroll(k string) {
	page := max(1, m.height-3)
	by := map[string]int{"up": 1, "k": 1, "down": -1, "j": -1, "pgup": page, "b": page, "pgdown": -page, "space": -page, "home": kept * 100, "g": kept * 100, "end": -kept * 100}[k]
	m.back = max(0, m.back+by)
}

// View draws the page that is open.
func (m *model) View() (v tea.View) {
	defer func() {
		if p := recover(); p != nil {
			m.broken, v = p, tea.View{AltScreen: true}
		}
	}()
	v.AltScreen = true
	if m.width > 0 && m.height > 0 {
		began := time.Now()
		v.SetContent(m.picture())
		m.took = min(time.Since(began), 5*perFrame)
	}
	return v
}

// picture gives the whole screen.
func (m *model) picture() string {
	s, _ := m.view.look()
	var lines []string
	switch m.page {
	case onLog:
		lines, m.back = logPage(s, m.back, m.width, m.height)
	case onKeys:
		lines = keysPage(m.view.cfg, m.width, m.height)
	default:
		lines = frame(s, m.now, m.width, m.height, m.foot(s))
	}
	if m.view.cfg.Color {
		return paint(strings.Join(lines, "\n"))
	}
	return strings.Join(lines, "\n")
}

// foot gives the last line: a question, a notice, or the keys.
func (m *model) foot(s scene) string {
	switch {
	case m.asking:
		q := fmt.Sprintf(" Abort run %s of %s: put the traffic back as it was found, and stop? [y/N]", s.state.Plan.ID, s.state.Plan.Service)
		for _, short := range []string{" Abort: the traffic back as it was found? [y/N]", " Abort? [y/N]"} {
			if view.Columns(view.OneLine(q)) > m.width {
				q = short
			}
		}
		return q
	case m.notice != "":
		return " " + m.notice
	}
	return keys(m.view.cfg, m.width)
}

// last gives the picture that stays, as text.
func (m *model) last(s scene) (t string) {
	defer func() {
		if p := recover(); p != nil {
			t = ""
		}
	}()
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	return text(frame(s, m.view.cfg.Now(), m.width, m.height, ""))
}
