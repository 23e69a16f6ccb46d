package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// evil is what a hostile or broken machine might send where a text is expected.
const evil = "\x1b[2J\x1b]0;owned\a\u202e\x9b31m\r\nEADDRINUSE\x00\u009b0m"

// poisoned gives a tale in which every text that can come from elsewhere is evil.
func poisoned(t *testing.T) *tale {
	o := usualSetting()
	p := o.plan()
	p.Service += evil
	p.Release += evil
	p.Was += evil
	p.By += evil
	for i := range p.Machines {
		p.Machines[i].Name += evil
	}
	for i := range p.Steps {
		for j := range p.Steps[i].Run {
			p.Steps[i].Run[j].Line += evil
		}
	}
	w := begin(t, p)
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: evil, PID: 1})
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Counted, Sessions: &plans.Sessions{Total: 3, ByHost: map[string]int{"10.9.0.4": 3}, Unread: map[string]string{"10.9.0.5": evil, evil: evil}}})
	w.step(plans.Event{What: plans.Noted, Note: evil})
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.Request("pause" + evil), By: evil})
	w.step(plans.Event{What: plans.Wrote, Answers: []plans.Answer{{Backend: evil, Outcome: plans.Refused, Error: evil}}})
	w.step(plans.Event{What: plans.Ran, Command: &plans.Command{Host: "10.9.0.4", Do: plans.DoStart}, Code: 1, Output: evil})
	w.step(plans.Event{What: plans.Failed, Error: evil})
	w.tell(plans.Event{What: plans.Held, Step: -1, Error: evil, Note: evil})
	return w
}

// tales are those of every scene and a poisoned one.
func tales(t *testing.T) map[string]*tale {
	all := map[string]*tale{"poisoned": poisoned(t)}
	for _, sc := range scenes(t) {
		all[sc.name] = sc.tale
	}
	return all
}

func TestNoLineIsWiderThanAskedAndNoneHasAControlCharacter(t *testing.T) {
	for name, w := range tales(t) {
		t.Run(name, func(t *testing.T) {
			for i, s := range w.states {
				if i > 40 && i%29 != 0 && i < len(w.states)-3 { // the many counts of a drain look alike
					continue
				}
				for _, width := range []int{1, 20, 37, 59, 60, 80, 100, 300} {
					for _, alive := range []bool{true, false} {
						var b bytes.Buffer
						if err := Status(&b, s, w.events[i].At.Add(3*time.Second), StatusOptions{Alive: alive, Holder: evil, Width: width}); err != nil {
							t.Fatal(err)
						}
						fits(t, fmt.Sprintf("status after event %d (%s)", i+1, w.events[i].What), b.String(), max(width, least))
					}
				}
				var b bytes.Buffer
				if err := Summary(&b, s, ""); err != nil {
					t.Fatal(err)
				}
				fits(t, fmt.Sprintf("summary after event %d", i+1), b.String(), usual)
			}
			for _, width := range []int{1, 20, 60, 80, 100} {
				var b bytes.Buffer
				unread := plans.Sessions{Total: 3, Unread: map[string]string{"10.9.0.4": evil}}
				o := PlanOptions{Width: width, PerMachine: 1, Sessions: map[string]plans.Sessions{"group1": unread, "group2": unread}}
				if err := Plan(&b, w.s.Plan, o); err != nil {
					t.Fatal(err)
				}
				fits(t, "plan", b.String(), max(width, least))
			}
			for _, l := range strings.SplitAfter(log(w), "\n") {
				if bad := harmless(l); bad != "" {
					t.Errorf("line %q: %s", l, bad)
				}
			}
		})
	}
}

// fits demands that every line of text is clean, no wider than width, and has no blanks at its end.
func fits(t *testing.T, what, text string, width int) {
	t.Helper()
	if bad := harmless(text); bad != "" {
		t.Fatalf("%s: %s:\n%q", what, bad, text)
	}
	for _, l := range strings.Split(text, "\n") {
		if columns(l) > width {
			t.Fatalf("%s: %d columns where %d were asked for: %q", what, columns(l), width, l)
		}
		if strings.TrimRight(l, " ") != l {
			t.Fatalf("%s: blanks at the end of %q", what, l)
		}
	}
}

func TestMachinesOfChineseNamesStandInColumns(t *testing.T) {
	for _, sc := range scenes(t) {
		if sc.name != "chinese" {
			continue
		}
		var ends []int
		for _, l := range strings.Split(status(t, sc, 60), "\n") {
			for _, n := range []string{"198", "205", "1,189"} {
				if strings.HasSuffix(l, " "+n) {
					ends = append(ends, columns(l))
				}
			}
		}
		if len(ends) != 3 || ends[0] != ends[1] || ends[1] != ends[2] {
			t.Errorf("the counts end at columns %v, want one and the same three times", ends)
		}
	}
}

func TestManyMachinesAreSummedUpAndTheUnreadComeFirst(t *testing.T) {
	o := usualSetting()
	o.names = nil
	for i := range 120 {
		o.names = append(o.names, fmt.Sprintf("game-%03d", i+1))
	}
	w := begin(t, o.plan())
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	ns := make([]int, 60)
	for i := range ns {
		ns[i] = 100 + i
	}
	ns[7] = -1
	w.count("group2", 0, ns...)
	var b bytes.Buffer
	if err := Status(&b, w.s, w.now(), StatusOptions{Alive: true}); err != nil {
		t.Fatal(err)
	}
	_, row, _ := strings.Cut(b.String(), "   machines  ")
	if !strings.HasPrefix(row, "game-068 unread") {
		t.Errorf("the first machine is not the unread one:\n%s", row)
	}
	if !strings.Contains(row, "and 36 more with 4,259") {
		t.Errorf("the other machines are not summed up:\n%s", row)
	}
}

func TestAStateOfNothingIsDrawn(t *testing.T) {
	var s plans.State
	var b bytes.Buffer
	for _, draw := range []func() error{
		func() error { return Status(&b, s, noon, StatusOptions{}) },
		func() error { return Summary(&b, s, "") },
		func() error { return Plan(&b, s.Plan, PlanOptions{}) },
		func() error { return JSON(&b, StatusOf(s, noon, StatusOptions{})) },
		func() error { return JSON(&b, ResultOf(s)) },
	} {
		if err := draw(); err != nil {
			t.Error(err)
		}
	}
	if _, _, ok := Doing(s); ok {
		t.Error("nothing is said to be under way")
	}
	if b.Len() == 0 {
		t.Error("nothing was drawn")
	}
}
