package view

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// number writes n with a comma between its thousands: 1,284.
func number(n int) string {
	s := strconv.Itoa(n)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes n and its noun: 1 session, 1,284 sessions.
func plural(n int, noun string) string { return English.plural(n, noun) }

// Span writes a duration as short as it is of use: 2.9s, 25s, 2m33s, 3m, 1h05m.
func (l Lang) Span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < 9950*time.Millisecond {
		s := strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0")
		return l.Say("%ss", "%s 秒", s)
	}
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0 && m == 0:
		return l.Say("%dh", "%d 小时", h)
	case h > 0:
		return l.Say("%dh%02dm", "%d 小时 %d 分", h, m)
	case m > 0 && s == 0:
		return l.Say("%dm", "%d 分钟", m)
	case m > 0:
		return l.Say("%dm%02ds", "%d 分 %d 秒", m, s)
	}
	return l.Say("%ds", "%d 秒", s)
}

// span is Span in English.
func span(d time.Duration) string { return English.Span(d) }

// about writes a duration that is only an estimate, no finer than it is known.
func (l Lang) about(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		d = max(d.Round(time.Second), time.Second)
	case d < time.Minute:
		d = d.Round(5 * time.Second)
	default:
		d = d.Round(10 * time.Second)
	}
	return l.Span(d)
}

// about is about in English.
func about(d time.Duration) string { return English.about(d) }

// clock writes the time of a day: 14:34:01Z.
func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }

// capital gives s with its first letter, if it is one of ASCII, as a capital.
func capital(s string) string {
	if s == "" || s[0] >= utf8.RuneSelf {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// releases writes which release a plan leaves and which it brings; empty where neither is known.
func releases(was, to, arrow string) string {
	switch {
	case to == "":
		return was
	case was == "":
		return arrow + to
	}
	return was + arrow + to
}
