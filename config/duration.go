package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	bareNumber  = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	spokenUnits = regexp.MustCompile(`(?i)^([0-9]+(?:\.[0-9]+)?)\s*(milliseconds?|millis|msecs?|seconds?|secs?|minutes?|mins?|hours?|hrs?|[smh])$`)
	duration    = regexp.MustCompile(durationPattern)
	days        = regexp.MustCompile(`(?i)^([0-9]{1,4})\s*d(?:ays?)?$`)
)

// durationPattern is every duration the file may hold; editors get it too.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`

// parseDuration reads a duration, which needs a unit. Problem and hint, the two
// texts it gives, are the Message and Hint of a Fault; "" is no problem.
func parseDuration(text string) (time.Duration, string, string) {
	d, err := time.ParseDuration(text)
	switch {
	case bareNumber.MatchString(text):
		return 0, text + " has no unit", "write " + text + "s or " + text + "m"
	case err == nil && d < 0:
		return 0, text + " is less than nothing", ""
	case err == nil && duration.MatchString(text):
		return d, "", ""
	}
	problem := fmt.Sprintf("%q is no duration", text)
	if m := spokenUnits.FindStringSubmatch(text); m != nil {
		unit := strings.ToLower(m[2])
		short := unit[:1]
		if strings.HasPrefix(unit, "mil") || strings.HasPrefix(unit, "ms") {
			short = "ms"
		}
		return 0, problem, "write " + m[1] + short
	}
	if m := days.FindStringSubmatch(text); m != nil {
		var n int
		_, _ = fmt.Sscan(m[1], &n)
		return 0, problem, fmt.Sprintf("write %dh", 24*n)
	}
	return 0, problem, "write a number and a unit, e.g. 3m or 1m30s"
}

// writeDuration is the shortest text that parseDuration reads as d: 3m, not
// 3m0s.
func writeDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
