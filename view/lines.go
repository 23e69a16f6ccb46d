package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Lines turns events into lines for a log: one line for each event worth one, the time first, then what it is about, then what
// happened. Events come many times a second while a drain waits, so it remembers what it has said. The zero is ready for use.
type Lines struct {
	writes  int       // requests of the step under way that were accepted
	drained time.Time // of the last line about a drain; zero: none yet in this step
	first   int       // sessions at the first of them
	left    int       // sessions at the last of them
	missing string    // machines not read at the last of them
	noted   time.Time // of the last note
	head    string    // what the last note was about
	said    string    // the last line, to say nothing twice
}

const (
	drainEach = 15 * time.Second // between two lines about a drain, unless much has changed
	drainSoon = 5 * time.Second  // even if a machine comes and goes
	noteEach  = 15 * time.Second // between two notes that begin alike
)

// Next gives the line for e, without its end, and whether it is worth one. s is the state after e.
func (l *Lines) Next(s plans.State, e plans.Event) (string, bool) {
	kind, text := l.tell(s, e)
	text = strings.TrimSpace(oneLine(text))
	if text == "" || kind+text == l.said {
		return "", false
	}
	l.said = kind + text
	return fmt.Sprintf("%s %-8s %s", e.At.UTC().Format(time.RFC3339), kind, text), true
}

// tell gives what an event is about and what it says; empty where it is not worth a line.
func (l *Lines) tell(s plans.State, e plans.Event) (kind, text string) {
	switch e.What {
	case plans.Planned:
		return planning(s, e)
	case plans.Resumed:
		if st, ok := s.Current(); ok && (s.Touched || s.Step > 0) && s.Plan.Purpose == plans.Update {
			return "resume", fmt.Sprintf("run=%s by %s at step %d of %d, %s %s", s.Plan.ID, e.By, s.Step+1, len(s.Plan.Steps), st.Kind, st.Group)
		}
		return "", ""
	case plans.Asked:
		if e.Request == plans.AskPause {
			return "asked", fmt.Sprintf("to pause after the step under way, by %s", e.By)
		}
		if e.Request == plans.AskResume {
			return "asked", fmt.Sprintf("to go on, by %s", e.By)
		}
		return "asked", fmt.Sprintf("to %s, by %s", e.Request, e.By)
	case plans.Adopted, plans.Overruled:
		return string(e.What), ruled(s, e)
	case plans.Paused, plans.Held, plans.Interrupted, plans.Done, plans.Aborted:
		return string(e.What), ending(s, e)
	}
	if e.Step < 0 || e.Step >= len(s.Plan.Steps) {
		return "note", e.Note
	}
	st := s.Plan.Steps[e.Step]
	return string(st.Kind), l.step(s, e, st)
}

// planning says what a new plan is for.
func planning(s plans.State, e plans.Event) (kind, text string) {
	if e.Plan == nil {
		return "", ""
	}
	if e.Plan.Purpose == plans.Leaving {
		return "retreat", reason(e.Note) + "every backend back as it was found"
	}
	return "start", fmt.Sprintf("%s %s run=%s order=%s,%s", s.Plan.Service, releases(s.Plan.Was, s.Plan.Release, "→"), s.Plan.ID, s.Plan.First, s.Plan.Second)
}

func reason(note string) string {
	if note == "" {
		return ""
	}
	return note + ": "
}

// ending says how a run stopped, where traffic is, and what to type.
func ending(s plans.State, e plans.Event) string {
	took := span(s.Last.At.Sub(s.Began.At))
	sum := fmt.Sprintf("%d sessions moved, %d cut", s.Moved(), s.Cut())
	switch e.What {
	case plans.Done:
		return fmt.Sprintf("%s %s in %s, %s", s.Plan.Service, releases(s.Plan.Was, s.Plan.Release, "→"), took, sum)
	case plans.Aborted:
		return fmt.Sprintf("after %s, %s; %s", took, sum, Traffic(s))
	case plans.Held:
		if !s.Safe {
			return "NOT PROVEN SAFE: " + Traffic(s) + typed(s)
		}
		return "safe: " + Traffic(s) + typed(s)
	}
	return reason(e.Note) + Traffic(s) + typed(s)
}

// typed names the commands that go on from here.
func typed(s plans.State) string {
	var cs []string
	for _, a := range Next(s) {
		cs = append(cs, a.Command)
	}
	if len(cs) == 0 {
		return ""
	}
	return "; next: " + strings.Join(cs, " or ")
}

// step says what an event tells about the step it belongs to.
func (l *Lines) step(s plans.State, e plans.Event, st plans.Step) string {
	switch e.What {
	case plans.Began:
		*l = Lines{said: l.said}
		switch st.Kind {
		case plans.Shift, plans.Drain: // the first says what it did, the second how many sessions there are
			return e.Note
		}
		return does(s.Plan, e.Step, PlanOptions{})
	case plans.Wrote:
		return l.wrote(e.Answers)
	case plans.Counted:
		return l.counted(s, e, st)
	case plans.Called:
		return called(s, e)
	case plans.Alarmed:
		return alarmed(e)
	case plans.Tried:
		return tried(s, e)
	case plans.Ran:
		return commandEnded(s.Plan, e)
	case plans.Noted:
		return l.note(e)
	case plans.Ended:
		return "ok " + l.ended(s, e, st)
	case plans.Failed:
		why := strings.TrimPrefix(e.Error, string(st.Kind)+" "+st.Group+": ")
		return "FAILED " + st.Group + ": " + why
	}
	return ""
}

// alarmed says that the group that serves is hurt while the other is out, or is whole again.
func alarmed(e plans.Event) string {
	if e.Error == "" {
		return e.Note
	}
	return fmt.Sprintf("ALARM %s, which serves, is hurt: %s", e.Group, e.Error)
}

// tried says which group answered the connections made through the load balancer.
func tried(s plans.State, e plans.Event) string {
	all, by := 0, map[string]int{}
	for host, n := range e.Hits {
		all += n
		for _, m := range s.Plan.Machines {
			if m.Host == host {
				by[m.Group] += n
			}
		}
	}
	var parts []string
	for _, g := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %d", g, by[g]))
	}
	return fmt.Sprintf("%s through the load balancer, answered by %s", plural(all, "connection"), strings.Join(parts, ", "))
}

// ruled says what a person has said of values that somebody else had set.
func ruled(s plans.State, e plans.Event) string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(e.Weights)) {
		word := fmt.Sprintf("%s (%s) keeps weight %d", id, s.Plan.Before[id].Addr, e.Weights[id])
		if e.What == plans.Overruled {
			word = fmt.Sprintf("%s (%s) may be put back from weight %d", id, s.Plan.Before[id].Addr, e.Weights[id])
		}
		parts = append(parts, word)
	}
	return strings.Join(parts, ", ") + ", by " + e.By
}

// note says a note, unless one that begins alike was said a moment ago: which port is the first silent one changes each second.
func (l *Lines) note(e plans.Event) string {
	head, _, _ := strings.Cut(e.Note, ":")
	if head == l.head && e.At.Sub(l.noted) < noteEach {
		return ""
	}
	l.head, l.noted = head, e.At
	return e.Note
}

// commandEnded says how a command failed; nothing where it did not.
func commandEnded(p plans.Plan, e plans.Event) string {
	switch {
	case e.Command == nil:
		return ""
	case e.Error != "":
		return fmt.Sprintf("%s on %s: outcome not known: %s", e.Command.Do, p.Name(e.Command.Host), e.Error)
	case e.Code != 0:
		return fmt.Sprintf("%s on %s: exit %d%s", e.Command.Do, p.Name(e.Command.Host), e.Code, last(e.Output))
	}
	return ""
}

// last gives the last line a command printed, after a colon.
func last(output string) string {
	if l := lastLine(output); l != "" {
		return ": " + l
	}
	return ""
}

// wrote says what became of some requests, where not every one was accepted.
func (l *Lines) wrote(as []plans.Answer) string {
	count := map[plans.Outcome]int{}
	why := map[string]int{}
	most := ""
	for _, a := range as {
		count[a.Outcome]++
		if a.Outcome == plans.Refused && a.Error != "" {
			if why[a.Error]++; most == "" || why[a.Error] > why[most] {
				most = a.Error
			}
		}
	}
	l.writes += count[plans.Accepted]
	if count[plans.Accepted] == len(as) {
		return ""
	}
	parts := []string{fmt.Sprintf("%d of %d accepted", count[plans.Accepted], len(as))}
	if n := count[plans.Refused]; n > 0 {
		part := fmt.Sprintf("%d refused", n)
		if most != "" {
			part += " (" + cut(oneLine(most), 80) + ")"
		}
		parts = append(parts, part)
	}
	if n := count[plans.Unknown]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown", n))
	}
	return strings.Join(parts, ", ") + "; looking"
}

// ended says what a step that ended well has reached.
func (l *Lines) ended(s plans.State, e plans.Event, st plans.Step) string {
	p := s.Progress[e.Step]
	d := span(took(p))
	switch st.Kind {
	case plans.Shift:
		if l.writes == 0 {
			return fmt.Sprintf("%s (nothing to write, %s, read back)", shiftDone(s.Plan, e.Step), d)
		}
		return fmt.Sprintf("%s (%s, %s, read back)", shiftDone(s.Plan, e.Step), plural(l.writes, "write"), d)
	case plans.Drain:
		if e.EndedBy == "deadline" {
			return fmt.Sprintf("%s %s left at the deadline after %s, to be cut by the restart", st.Group, sessions(p.Left), d)
		}
		return fmt.Sprintf("%s %s after %s, %d cut", st.Group, sessions(p.Left), d, p.Cut)
	case plans.Restart:
		return fmt.Sprintf("%s after %s, %d cut", st.Group, d, p.Cut)
	}
	return fmt.Sprintf("%s after %s", st.Group, d)
}

// sessions writes a count without commas, since a log is read by programs too.
func sessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return strconv.Itoa(n) + " sessions"
}
