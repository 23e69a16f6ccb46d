package view

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// PlanOptions are what a drawing of a plan needs beside the plan. Its zero is usable.
type PlanOptions struct {
	Sessions   map[string]plans.Sessions // by group, counted just now; nil: not counted
	PerMachine int                       // sessions one machine may hold; 0: not told, no word about capacity
	Past       plans.State               // the last run that ended well; its zero: there is none
	Width      int                       // columns; 0: 80

	last []time.Duration // Lasted of Past
}

// Plan draws what p would do: both groups as they were found, each step with what it does and how long it takes (~ what was
// seen before or can be foreseen, ≤ its deadline), how long everything takes, and what happens at worst.
func Plan(w io.Writer, p plans.Plan, o PlanOptions) error {
	o.last = Lasted(p, o.Past)
	pg := newPage(o.Width)
	now := "nothing has been touched yet"
	if takesOver(p) {
		now = "from where the run before was left"
	}
	pg.sides("Plan for "+p.Service+heading(p), now)
	pg.line("")
	found(pg, p, o)
	pg.line("")
	for i := 0; i < len(p.Steps); {
		n := alike(p, i)
		if n == 1 {
			planned(pg, p, i, o)
		} else {
			again(pg, p, i, n, o)
		}
		i += n
	}
	pg.line("")
	from, to, ends := between(p, o.last)
	takes := fmt.Sprintf("%s to %s", about(from), about(to))
	switch {
	case !ends:
		takes = fmt.Sprintf("%s or longer: a drain waits until its sessions have ended", about(from))
	case about(from) == about(to):
		takes = "about " + about(to)
	}
	pg.labelled("takes", takes)
	if c := capacity(p, o); c != "" {
		pg.labelled("capacity", c)
	}
	pg.labelled("at worst", worst(p))
	return pg.print(w)
}

func heading(p plans.Plan) string {
	if p.Purpose == plans.Leaving {
		return ": back to what was found"
	}
	if p.Release == "" {
		return ": a restart of both groups" + English.also(p.Was)
	}
	return ": " + strings.TrimSpace(releases(p.Was, p.Release, " → "))
}

// found draws both groups as they are.
func found(pg *page, p plans.Plan, o PlanOptions) {
	label := "now"
	ss := sidesOf(plans.State{Plan: p})
	wide := 0
	for _, d := range ss {
		wide = max(wide, columns(oneLine(d.name)))
	}
	for _, d := range ss {
		on := plural(d.on, "backend") + " on"
		if d.found < d.total {
			on += fmt.Sprintf(" (%d found off, and left off)", d.total-d.found)
		}
		if n := d.found - d.on; n > 0 {
			on += fmt.Sprintf(" (%d left off by the run before)", n)
		}
		row := []string{pad(oneLine(d.name), wide), plural(len(d.machines), "machine"), on}
		if slices.Contains(p.Dirty, d.name) {
			row = append(row, "restart not proven")
		}
		c, counted := o.Sessions[d.name]
		if counted {
			row = append(row, perMachine(d, c))
		}
		pg.items(pad("  "+label, labelled-1), row, "  ")
		names, why := unread(p, c)
		for _, n := range names {
			pg.text(blank(labelled-1+wide+2), n+" unread: "+why[n])
		}
		label = ""
	}
}

// perMachine writes a count by machine in the plan's order, while there are few: 463+470+458 sessions.
func perMachine(d side, c plans.Sessions) string {
	if len(d.machines) > 6 {
		s := plural(c.Total, "session")
		if !c.Known() {
			s = "at least " + s
		}
		return s
	}
	var ns []string
	for _, m := range d.machines {
		if _, bad := c.Unread[m.Host]; bad {
			ns = append(ns, "?")
		} else {
			ns = append(ns, strconv.Itoa(c.ByHost[m.Host]))
		}
	}
	return strings.Join(ns, "+") + " sessions"
}

// planned draws one step: its number, its kind, what it does, and at the right edge how long it takes.
func planned(pg *page, p plans.Plan, i int, o PlanOptions) {
	row(pg, strconv.Itoa(i+1), string(p.Steps[i].Kind), English.does(p, i, o), takes(p, i, o.last))
}

// row draws what under a number and a kind, and right at the right edge of its last line.
func row(pg *page, number, kind, what, right string) {
	lead := pad("  "+number, 4) + " " + pad(kind, 8) + " "
	if columns(number) > 2 {
		lead = pad("  "+number, 13) + " "
	}
	room := max(pg.width-columns(lead)-max(8, columns(right)+1), 8)
	ls := wrap(oneLine(what), room)
	for j, l := range ls {
		if j == len(ls)-1 {
			l = pad(l, room) + padLeft(right, pg.width-columns(lead)-room)
		}
		pg.line("%s", lead+l)
		lead = blank(columns(lead))
	}
}

func takes(p plans.Plan, i int, last []time.Duration) string {
	st := p.Steps[i]
	if d, ok := known(p, i, last); ok && st.Kind != plans.Drain {
		return "~" + about(d)
	}
	if d, ok := bound(st); ok {
		return "≤" + span(d)
	}
	return "open"
}
