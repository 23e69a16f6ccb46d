package plans_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// FuzzPlan reads anything as a plan. One that passes Check says the same when it is written and read again, and is safe then as well.
func FuzzPlan(f *testing.F) {
	whole, err := json.Marshal(build())
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		string(whole), `{}`, `null`, `{"version":2}`, `{"first":"a","second":"b","steps":[{"kind":"shift","group":"a"}]}`,
		strings.Replace(string(whole), `"weight":1`, `"weight":-1`, 1), strings.ReplaceAll(string(whole), `"group2"`, `"group1"`),
		`{"first":"a","second":"b","before":{"x":{"group":"a","host":"h","weight":1}},"machines":[{"host":"h","group":"a"}],"steps":[{"kind":"drain","group":"a","hosts":["h"],"drain":null,"within":-1}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p plans.Plan
		if json.Unmarshal(b, &p) != nil {
			return
		}
		safe := p.Check() == nil
		_, _, _ = p.Weights(), p.Name("h"), p.Other(p.First)
		for _, s := range p.Steps {
			_ = s.By(plans.DoStart, "h")
		}
		if !safe {
			return
		}
		var again plans.Plan
		if err := json.Unmarshal(mustJSON(t, p), &again); err != nil {
			t.Fatalf("what passes Check cannot be read again: %v", err)
		}
		if got, want := string(mustJSON(t, again)), string(mustJSON(t, p)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if err := again.Check(); err != nil {
			t.Fatalf("safe when it was written, and when it is read: %v", err)
		}
	})
}

// FuzzFoldOfStories folds many events that may say anything, in any order. It never panics, never changes a state that was given away, and
// comes to the same in one go and one by one.
func FuzzFoldOfStories(f *testing.F) {
	var told strings.Builder
	for _, e := range half().es {
		b, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		told.Write(append(b, '\n'))
	}
	f.Add(told.String())
	f.Add(`{"what":"ended","step":3}` + "\n" + `{"what":"planned","plan":{"steps":[{"kind":"check","group":"a"}]}}` + "\n" + `{"what":"ended","step":-1}`)
	f.Add(`{"what":"planned","plan":{"taken":{"b":1},"dirty":["a"],"steps":[{"kind":"drain"},{"kind":"restart"}]}}` + "\n" +
		`{"what":"counted","step":1,"sessions":{"total":-3,"by_host":{"h":-3}},"cut":-3}` + "\n" + `{"what":"ran","step":1,"command":{"host":"h","do":"start"},"code":-1}` + "\n" +
		`{"what":"planned","plan":{"steps":null}}` + "\n" + `{"what":"failed","step":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s plans.State
		var all []plans.Event
		for line := range strings.Lines(text) {
			var e plans.Event
			if json.Unmarshal([]byte(line), &e) != nil {
				continue
			}
			before := string(mustJSON(t, s))
			next := s.Apply(e)
			if after := string(mustJSON(t, s)); after != before {
				t.Fatalf("applying %s changed the state before it:\n%s\n%s", line, before, after)
			}
			s, all = next, append(all, e)
		}
		_, _ = s.Current()
		_, _ = s.Cut(), s.Moved()
		_ = s.Plan.Check()
		if once := plans.Fold(func(yield func(plans.Event) bool) {
			for _, e := range all {
				if !yield(e) {
					return
				}
			}
		}); !reflect.DeepEqual(once, s) {
			t.Fatalf("in one go: %+v; one by one: %+v", once, s)
		}
	})
}
