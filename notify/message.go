package notify

import (
	"strings"
	"time"
)

// Schema names the format of the JSON that a webhook gets. Fields are only ever added to it.
const Schema = "rollout.notification/v1"

// Level says how a message is to be taken; a service that has colours shows it by one.
type Level string

// The levels.
const (
	Info Level = "info" // as planned
	Good Level = "good" // it has ended well
	Warn Level = "warn" // somebody should look within hours
	Bad  Level = "bad"  // somebody should look now
)

// Line is one fact of a message. Its text is one line.
type Line struct {
	Label string `json:"label"` // what it is about, in a word: Traffic
	Text  string `json:"text"`
}

// Message is one piece of news. Title and lines are written out in the language of the receiver; the fields after them are for programs.
type Message struct {
	ID      string // the same whenever this message is sent again: who has had it may drop it
	Kind    string // started, held, …
	Level   Level
	Lang    string // en or zh-CN
	Title   string // one line
	Lines   []Line
	At      time.Time
	Service string
	Run     string
	From    string   // the release that the run leaves; empty where nobody has told
	To      string   // the release that it brings
	By      string   // who carries the run out, and where: liu@ops-1
	Moved   int      // sessions that ended by themselves
	Cut     int      // sessions that did not
	Next    []string // commands worth typing, the likeliest first
}

// clip cuts a text to so many bytes, between two characters, and says so.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const more = "…"
	end := most - len(more)
	for end > 0 && s[end]&0xc0 == 0x80 { // within a character
		end--
	}
	return s[:end] + more
}

// joined writes the lines of a message one below the other, each through write.
func (m Message) joined(between string, write func(Line) string) string {
	var all []string
	for _, l := range m.Lines {
		all = append(all, write(l))
	}
	return strings.Join(all, between)
}

// colon is what stands between a label and its text.
func (m Message) colon() string {
	if m.Lang == "zh-CN" {
		return "："
	}
	return ": "
}
