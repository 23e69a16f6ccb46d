package web

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// figures are the newest run for Prometheus: read when they are asked for, but not for everybody anew, since whoever asks needs no token.
type figures struct {
	d    *Dashboard
	mu   sync.Mutex
	last []prometheus.Metric
	read time.Time // when they were
}

// figuresFor is how long they are given again.
const figuresFor = time.Second

// figure declares one of them.
func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rollout_"+name, help, labels, nil)
}

var (
	upFigure       = figure("journal_readable", "1 where the journal of the newest run could be read whole.")
	infoFigure     = figure("run_info", "The newest run.", "run", "service", "from", "to")
	phaseFigure    = figure("run_phase", "1 for the phase the run is in.", "phase")
	safeFigure     = figure("run_safe", "1 where the run has stopped and a group is proven to take new connections, 0 where none is; absent while that is open.")
	durationFigure = figure("run_duration_seconds", "From the run's beginning until now, or until it was over.")
	stepFigure     = figure("step_index", "The step under way or next, from 1; 0 where none is left.")
	stepsFigure    = figure("steps", "Steps of the plan under way.")
	kindFigure     = figure("step_info", "The step under way or next.", "kind", "group")
	tookFigure     = figure("step_duration_seconds", "How long each step begun has taken so far.", "step", "kind", "group")
	sessionsFigure = figure("sessions", "Sessions of a group as last counted, without machines that could not be read.", "group")
	unreadFigure   = figure("sessions_unread_machines", "Machines whose sessions could not be counted.", "group")
	onFigure       = figure("backends_on", "Backends that take new connections, as last read.", "group")
	wantedFigure   = figure("backends_wanted", "Backends that are to take new connections now.", "group")
	sickFigure     = figure("backends_unhealthy", "Backends that are on and not healthy.", "group")
	cutFigure      = figure("run_sessions_cut", "Sessions cut by the run.")
	movedFigure    = figure("run_sessions_moved", "Sessions that ended by themselves in the run's drains.")
	writesFigure   = figure("run_api_writes", "Changes of a backend asked of the load balancer's API, by what became of them.", "outcome")
	alarmFigure    = figure("run_alarm", "1 while the group that serves is hurt and the other is out.")
	heldFigure     = figure("lock_held", "1 while a process holds the lock of the service.")
	lockFigure     = figure("lock_age_seconds", "How long the lock has been held; absent while nobody holds it.")
	lastFigure     = figure("last_event_age_seconds", "Since the newest event of the run.")
)

// Describe tells what Collect may give.
func (f *figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upFigure, infoFigure, phaseFigure, safeFigure, durationFigure, stepFigure, stepsFigure, kindFigure, tookFigure,
		sessionsFigure, unreadFigure, onFigure, wantedFigure, sickFigure, cutFigure, movedFigure, writesFigure, alarmFigure, heldFigure, lockFigure, lastFigure} {
		ch <- d
	}
}

// Collect gives the figures, as they are or were a moment ago.
func (f *figures) Collect(ch chan<- prometheus.Metric) {
	for _, m := range f.recent() {
		ch <- m
	}
}

func (f *figures) recent() []prometheus.Metric {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.read.IsZero() || time.Since(f.read) >= figuresFor {
		f.last = f.newest()
		f.read = time.Now()
	}
	return f.last
}

// newest reads the newest run. It is called in a goroutine of the registry: a panic there would end the process, which may be the one that carries
// the run out.
func (f *figures) newest() (all []prometheus.Metric) {
	defer func() {
		if p := recover(); p != nil {
			f.d.c.Log.Warn("dashboard: panic in the metrics", "err", p)
		}
	}()
	now := time.Now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		for i, l := range labels {
			labels[i] = view.Clean(l)
		}
		all = append(all, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
	}
	h, _ := f.d.c.Source.Holder()
	gauge(heldFigure, bit(h.Held))
	if h.Held && !h.Since.IsZero() {
		gauge(lockFigure, max(0, now.Sub(h.Since).Seconds()))
	}
	s, err := f.d.runs.latest()
	gauge(upFigure, bit(err == nil))
	if s.Plan.ID == "" {
		return all
	}
	v := view.StatusOf(s, now, view.StatusOptions{Alive: h.Held && h.Run == s.Plan.ID})
	gauge(infoFigure, 1, s.Plan.ID, s.Plan.Service, s.Plan.Was, s.Plan.Release)
	for _, p := range []plans.Phase{plans.PhasePlanned, plans.PhaseRunning, plans.PhasePaused, plans.PhaseHeld, plans.PhaseInterrupted, plans.PhaseDone, plans.PhaseAborted} {
		gauge(phaseFigure, bit(p == v.Phase), string(p))
	}
	if v.Safe != nil {
		gauge(safeFigure, bit(*v.Safe))
	}
	end := now
	if v.Phase.Over() {
		end = s.Last.At
	}
	left := now // when a step that nobody ended was left
	if v.Phase != plans.PhaseRunning {
		left = s.Last.At
	}
	gauge(durationFigure, max(0, end.Sub(s.Began.At).Seconds()))
	gauge(lastFigure, max(0, now.Sub(s.Last.At).Seconds()))
	gauge(cutFigure, float64(v.Sessions.Cut))
	gauge(movedFigure, float64(v.Sessions.Moved))
	gauge(alarmFigure, bit(v.Alarm != ""))
	for _, o := range []plans.Outcome{plans.Accepted, plans.Refused, plans.Unknown} {
		gauge(writesFigure, float64(s.Answers[o]), string(o))
	}
	gauge(stepsFigure, float64(len(v.Steps)))
	if v.Step != nil {
		gauge(stepFigure, float64(v.Step.Index+1))
		gauge(kindFigure, 1, string(v.Step.Kind), v.Step.Group)
	} else {
		gauge(stepFigure, 0)
	}
	for i, st := range v.Steps {
		if st.Began == nil {
			continue
		}
		until := left
		if st.Ended != nil {
			until = *st.Ended
		}
		gauge(tookFigure, max(0, until.Sub(*st.Began).Seconds()), strconv.Itoa(i+1), string(st.Kind), st.Group)
	}
	for _, g := range v.Groups {
		gauge(onFigure, float64(g.Backends.On), g.Name)
		gauge(wantedFigure, float64(g.Backends.Wanted), g.Name)
		gauge(sickFigure, float64(g.Backends.Sick), g.Name)
		if c := g.Sessions; c != nil {
			gauge(sessionsFigure, float64(c.Total), g.Name)
			gauge(unreadFigure, float64(len(c.Unread)), g.Name)
		}
	}
	return all
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
