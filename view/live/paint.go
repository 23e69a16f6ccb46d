package live

import (
	"regexp"

	"charm.land/lipgloss/v2"
)

// The picture is drawn without colours, so that none is ever the only sign of anything; then some words and signs of it are painted.
var (
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	busy   = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red)
	fallen = lipgloss.NewStyle().Foreground(lipgloss.Cyan)
	dim    = lipgloss.NewStyle().Faint(true)
)

var painted = []struct {
	what  *regexp.Regexp
	style lipgloss.Style
}{
	{regexp.MustCompile(`✔|TAKES ALL NEW CONNECTIONS|\bDONE\b|[◀▶]`), good},
	{regexp.MustCompile(`◌|\b(RUNNING|DRAINING|RESTARTING|PAUSED)\b|Abort.*\[y/N\]`), busy},
	{regexp.MustCompile(`✖|ALARM|NOT PROVEN SAFE|FAILED|\b(HELD|ABORTED|INTERRUPTED)\b|\d+ not healthy|unread|┊|cut [1-9][\d,]*`), bad},
	{regexp.MustCompile(`[\x{2801}-\x{28ff}]+`), fallen},
	{regexp.MustCompile(`[─│╭╮╰╯┤┼┬·░]+|\d\d:\d\d:\d\dZ`), dim},
}

// paint gives a picture with colours.
func paint(s string) string {
	for _, p := range painted {
		s = p.what.ReplaceAllStringFunc(s, func(x string) string { return p.style.Render(x) })
	}
	return s
}
