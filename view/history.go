package view

import (
	"io"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// HistorySchema names the format of HistoryDoc.
const HistorySchema = "rollout.history/v1"

// HistoryDoc is the past runs of a service, for programs, the newest first.
type HistoryDoc struct {
	Schema  string   `json:"schema"` // HistorySchema
	Service string   `json:"service"`
	Runs    []RunDoc `json:"runs"`
}

// RunDoc is one run.
type RunDoc struct {
	Run       string      `json:"run"`
	Phase     plans.Phase `json:"phase"` // interrupted, where the process that ran it is gone
	Safe      *bool       `json:"safe"`  // a group is proven to take new connections; null while nobody has tried to prove it
	Releases  ReleasesDoc `json:"releases"`
	Sessions  TallyDoc    `json:"sessions"`
	By        string      `json:"by"`
	Started   *time.Time  `json:"started"`
	DurationS float64     `json:"duration_s"` // from the run's first event to its last, whatever lay between
	Error     string      `json:"error"`
}

// HistoryOf gives the document of some runs, the newest first. alive says whether the process that carries the newest out lives.
func HistoryOf(service string, runs []plans.State, alive bool) HistoryDoc {
	d := HistoryDoc{Schema: HistorySchema, Service: service, Runs: []RunDoc{}}
	for i, s := range runs {
		s.Phase = phase(s, alive && i == 0)
		d.Runs = append(d.Runs, RunDoc{Run: s.Plan.ID, Phase: s.Phase, Safe: safe(s), Releases: ReleasesDoc{From: s.Plan.Was, To: s.Plan.Release},
			Sessions: TallyDoc{Moved: s.Moved(), Cut: s.Cut()}, By: s.Plan.By, Started: moment(s.Began.At), DurationS: seconds(s.Last.At.Sub(s.Began.At)),
			Error: Clean(fault(s))})
	}
	return d
}

// History draws some runs, the newest first: when, what became of it, the releases, how long it took, sessions moved and cut, and who. alive is as
// for HistoryOf.
func History(w io.Writer, runs []plans.State, alive bool, width int) error {
	pg := newPage(width)
	for i, s := range runs {
		s.Phase = phase(s, alive && i == 0)
		what := string(s.Phase)
		if s.Phase == plans.PhaseHeld && !s.Safe {
			what += ", NOT PROVEN SAFE"
		}
		items := []string{s.Plan.ID, s.Began.At.UTC().Format("2006-01-02 15:04Z"), what}
		if r := strings.TrimSpace(releases(s.Plan.Was, s.Plan.Release, "→")); r != "" {
			items = append(items, r)
		}
		items = append(items, span(s.Last.At.Sub(s.Began.At).Round(time.Second)), number(s.Moved())+" moved", number(s.Cut())+" cut", "by "+s.Plan.By)
		pg.items(glyphOf(s)+" ", items, "  ")
		if f := fault(s); f != "" && s.Phase != plans.PhaseDone {
			pg.text("    ", f)
		}
	}
	return pg.print(w)
}
