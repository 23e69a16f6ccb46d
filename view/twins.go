package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// alike gives how many steps from i on do to the second group what was shown in full for the first one: 1 where what is there
// must be shown itself.
func alike(p plans.Plan, i int) int {
	n := 0
	for i+n < len(p.Steps) && p.Steps[i+n].Kind != plans.Shift && p.Steps[i].Group == p.Second {
		n++
	}
	j := slices.IndexFunc(p.Steps, func(st plans.Step) bool { return st.Group == p.First && st.Kind != plans.Shift })
	if n < 2 || j < 0 || j+n > i {
		return 1
	}
	for k := range n {
		if !twin(p.Steps[j+k], p.Steps[i+k]) {
			return 1
		}
	}
	return n
}

// twin says whether two steps do the same to different groups.
func twin(a, b plans.Step) bool {
	lines := func(st plans.Step) map[string]bool {
		ls := map[string]bool{}
		for _, c := range st.Run {
			ls[string(c.Do)+c.Dir+"\n"+c.Line] = true
		}
		return ls
	}
	return a.Kind == b.Kind && a.Within == b.Within && a.Stable == b.Stable && a.Kill == b.Kill && maps.Equal(lines(a), lines(b))
}

// again draws in one row n steps from i on, which are shown in full for the other group.
func again(pg *page, p plans.Plan, i, n int, o PlanOptions) {
	var kinds []string
	var sum time.Duration
	sign := "~"
	for k := i; k < i+n; k++ {
		st := p.Steps[k]
		kinds = append(kinds, string(st.Kind))
		d, ok := known(p, k, o.last)
		most, ends := bound(st)
		switch {
		case !ends:
			sign = ""
		case !ok || st.Kind == plans.Drain:
			d = most
			if sign == "~" {
				sign = "≤"
			}
		}
		sum += d
	}
	right := sign + span(sum.Round(time.Second))
	if sign == "" {
		right = "open"
	}
	what := strings.Join(kinds, ", ") + " " + p.Steps[i].Group
	if c, ok := o.Sessions[p.Steps[i].Group]; ok {
		what += ", " + English.total(c)
	}
	row(pg, fmt.Sprintf("%d–%d", i+1, i+n), "", what, right)
}
