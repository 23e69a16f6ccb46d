package web

import (
	"cmp"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// wordsDoc is what is said of a state, in one language.
type wordsDoc struct {
	Traffic string      `json:"traffic"`
	Doing   string      `json:"doing,omitempty"`
	IfFails string      `json:"if_fails,omitempty"`
	Error   string      `json:"error,omitempty"`
	Alarm   string      `json:"alarm,omitempty"`
	Next    []adviceDoc `json:"next,omitempty"` // once it has stopped
}

type adviceDoc struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// wordsOf says in each language what is so in s, whose status is v. The keys are those of the pages.
func wordsOf(s plans.State, v view.StatusDoc) map[string]wordsDoc {
	return map[string]wordsDoc{"en": wordsIn(view.English, s, v), "zh": wordsIn(view.Chinese, s, v)}
}

func wordsIn(l view.Lang, s plans.State, v view.StatusDoc) wordsDoc {
	w := wordsDoc{Traffic: view.Clean(l.Traffic(s)), IfFails: view.Clean(l.IfFails(s)), Error: l.Said(v.Error), Alarm: l.Said(v.Alarm)}
	w.Doing, _, _ = l.Doing(s)
	if s.Phase != plans.PhaseRunning {
		for _, a := range l.Next(s) {
			w.Next = append(w.Next, adviceDoc{a.Command, view.Clean(a.Why)})
		}
	}
	return w
}

// teller turns events into lines.
type teller struct{ en, zh view.Lines }

func newTeller() teller {
	return teller{en: view.Lines{Lang: view.English}, zh: view.Lines{Lang: view.Chinese}}
}

// tell gives the line of an event, and false where it is not worth one. s is the state after it. A language in which it was said just before says
// it in the other's words.
func (t *teller) tell(s plans.State, e plans.Event) (lineDoc, bool) {
	en, inEn := t.en.Next(s, e)
	zh, inZh := t.zh.Next(s, e)
	return lineDoc{Seq: e.Seq, At: e.At.UTC(), En: cmp.Or(en, zh), Zh: cmp.Or(zh, en)}, inEn || inZh
}
