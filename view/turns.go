package view

import (
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// turnDoc gives the document of one turn of a run.
func (l Lang) turnDoc(t plans.Turn) TurnDoc {
	e := t.Event
	d := TurnDoc{At: e.At.UTC(), Kind: turnKind(e), Text: oneLine(l.turned(t))}
	if e.Step >= 0 && e.Step < len(t.After.Plan.Steps) {
		d.Step = l.title(e.Step+1, t.After.Plan.Steps[e.Step].Kind, t.After.Plan.Steps[e.Step].Group)
	}
	return d
}

// title names a step by its number: 2 drain group2.
func (l Lang) title(number int, kind plans.Kind, group string) string {
	return oneLine(l.Say("%d %s %s", "%d %s %s", number, l.Kind(kind), group))
}

// turnKind gives the word by which programs know a turn.
func turnKind(e plans.Event) string {
	switch e.What {
	case plans.Alarmed:
		return "alarm"
	case plans.Looked:
		return "drift"
	case plans.Planned:
		return "retreat"
	case plans.Ran:
		return "command"
	}
	return string(e.What) // asked, adopted, overruled, resumed, failed, paused, held, interrupted, aborted
}

// turn names the kind of a turn.
func (l Lang) turn(kind string) string {
	switch kind {
	case "alarm":
		return l.Say("alarm", "警报")
	case "drift":
		return l.Say("drift", "被人改动")
	case "retreat":
		return l.Say("retreat", "退回")
	case "command":
		return l.Say("command", "命令")
	case "asked":
		return l.Say("asked", "要求")
	case "adopted":
		return l.Say("adopted", "沿用")
	case "overruled":
		return l.Say("overruled", "改写")
	case "resumed":
		return l.Say("resumed", "继续")
	case "failed":
		return l.Say("failed", "失败")
	}
	return l.Phase(plans.Phase(kind)) // the others are phases
}

func (l Lang) turned(t plans.Turn) string {
	s, e := t.After, t.Event
	switch e.What {
	case plans.Alarmed:
		return strings.TrimPrefix(l.alarmed(e), l.Say("ALARM ", "警报："))
	case plans.Looked:
		return strings.Join(t.Drift, l.Say("; ", "；"))
	case plans.Resumed:
		if st, ok := s.Current(); ok {
			return l.Say("by %s at %s", "由 %s 接手，%s", e.By, l.numbered(s, st))
		}
		return l.Say("by %s", "由 %s 接手", e.By)
	case plans.Ran:
		return l.commandEnded(s.Plan, e)
	case plans.Failed:
		return l.Said(e.Error)
	}
	_, text := (&Lines{Lang: l}).tell(s, e)
	return text
}
