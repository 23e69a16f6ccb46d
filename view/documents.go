package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/seed59ee9cdc/rollout/plans"
)

// The schemas of the documents. Fields are only ever added to one; a change of meaning gets a new number.
const (
	StatusSchema = "rollout.status/v1"
	PlanSchema   = "rollout.plan/v1"
	ResultSchema = "rollout.result/v1"
)

// none is the phase of a service that has had no run yet.
const none plans.Phase = "none"

// JSON writes a document, indented, with a newline at its end. What could change a terminal it is printed on is written as an
// escape of JSON, so that the values stay what they are.
func JSON(w io.Writer, doc any) error {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	var b bytes.Buffer
	for _, r := range raw.String() {
		if r == '\n' || !unicode.In(r, unicode.Cc, unicode.Cf) {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, "\\u%04x", u)
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// PlanDoc is a plan as it is printed and saved.
type PlanDoc struct {
	Schema string     `json:"schema"` // PlanSchema
	Plan   plans.Plan `json:"plan"`
}

// PlanOf gives the document of a plan.
func PlanOf(p plans.Plan) PlanDoc { return PlanDoc{Schema: PlanSchema, Plan: p} }

// StepDoc is one step of a run. Times are RFC 3339 in UTC.
type StepDoc struct {
	Index     int           `json:"index"` // from 0, within its plan
	Purpose   plans.Purpose `json:"purpose"`
	Kind      plans.Kind    `json:"kind"`
	Group     string        `json:"group"`
	Status    plans.Status  `json:"status"`
	Began     *time.Time    `json:"began,omitempty"`
	Ended     *time.Time    `json:"ended,omitempty"`
	DurationS *float64      `json:"duration_s,omitempty"` // of a step that has ended, well or not
	EndedBy   string        `json:"ended_by,omitempty"`   // drain: zero or deadline
	First     *int          `json:"sessions_first,omitempty"`
	Left      *int          `json:"sessions_left,omitempty"` // drain: as last counted
	Cut       *int          `json:"cut,omitempty"`           // restart
	Error     string        `json:"error,omitempty"`
	Curve     []PointDoc    `json:"curve,omitempty"`      // drain: its counts
	LastCurve []PointDoc    `json:"last_curve,omitempty"` // drain: those of the last run that ended well
}

// PointDoc is one count of a drain.
type PointDoc struct {
	AtS  float64 `json:"at_s"` // since the drain began
	Left int     `json:"left"`
}

func curveDoc(ps []plans.Point) []PointDoc {
	var docs []PointDoc
	for _, p := range ps {
		docs = append(docs, PointDoc{seconds(p.At.Duration()), p.Left})
	}
	return docs
}

// stepDocs gives the steps of one plan.
func stepDocs(p plans.Plan, ps []plans.Progress) []StepDoc {
	docs := make([]StepDoc, 0, len(p.Steps))
	for i, st := range p.Steps {
		g := ps[i]
		d := StepDoc{Index: i, Purpose: p.Purpose, Kind: st.Kind, Group: st.Group, Status: g.Status,
			Began: moment(g.Began.At), Ended: moment(g.Ended.At), EndedBy: g.EndedBy, First: g.First, Error: Clean(g.Error), Curve: curveDoc(g.Curve)}
		if d.Ended != nil {
			s := seconds(took(g))
			d.DurationS = &s
		}
		if st.Kind == plans.Drain && g.First != nil {
			d.Left = &g.Left
		}
		if st.Kind == plans.Restart && d.Began != nil {
			d.Cut = &g.Cut
		}
		docs = append(docs, d)
	}
	return docs
}

// TallyDoc is what became of the sessions of a run so far.
type TallyDoc struct {
	Moved int `json:"moved"` // ended by themselves while their group was drained
	Cut   int `json:"cut"`
}

// ReleasesDoc says which release a run leaves and which it brings; empty where it was not told.
type ReleasesDoc struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// moment gives a time as documents hold it; nil where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC()
	return &u
}

// seconds gives d in seconds, to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
