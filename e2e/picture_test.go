//go:build e2e

package e2e

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// picturing tells whether the pictures of the docs are to be made.
func picturing() bool { return os.Getenv("ROLLOUT_PICTURES") != "" }

// pictured gives the options of a world that makes pictures, where they are to be made, and else of a quick one.
func pictured(quick ...string) []string {
	if picturing() {
		return []string{"--ports", "8", "--players", "200", "--game", "20s", "--deadline", "30s"}
	}
	return quick
}

// before makes the run before the pictured one, whose curve is drawn too.
func (w *world) before() {
	w.t.Helper()
	if picturing() {
		w.must(0, "start", "--yes", "--ref", "v1.0.1")
	}
}

// keep demands that a picture is small, and keeps it where ROLLOUT_PICTURES says.
func keep(t *testing.T, file string, b []byte) {
	t.Helper()
	if len(b) > 150<<10 {
		t.Errorf("picture %s has %d bytes, more than 150 KB", file, len(b))
	}
	dir := os.Getenv("ROLLOUT_PICTURES")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// picture takes what is on the screen.
func (x *screen) picture(name string) {
	x.t.Helper()
	x.mu.Lock()
	b, err := drawn(x.emu)
	x.mu.Unlock()
	if err != nil {
		x.t.Fatalf("picture %s: %v", name, err)
	}
	keep(x.t, name+".svg", b)
}

// The size of a cell; a letter of 14 pixels is about as wide in every fixed font.
const cellWide, cellHigh, margin = 8.4, 18.0, 12.0

// The colours of the picture, light on dark.
var palette = map[ansi.BasicColor]string{ansi.Red: "#ff7b72", ansi.Green: "#56d364", ansi.Yellow: "#e3b341", ansi.Cyan: "#56d4dd"}

// pen is how cells look.
type pen struct {
	colour      string
	bold, faint bool
}

// strokes is what one pen has drawn.
type strokes struct {
	text              strings.Builder
	lines, dots, fill strings.Builder // of paths
}

// drawn gives a terminal as an SVG that needs no script and no font of its own. Frames, blocks and dots are shapes: few fonts have them all, and what
// stands in for them is not as wide as a letter. Each text says how long it is, so that any font stays in its columns.
func drawn(emu *vt.Emulator) ([]byte, error) {
	var pens []pen
	by := map[pen]*strokes{}
	for y := range emu.Height() {
		var run strings.Builder
		var with pen
		from, until := 0, 0
		flush := func() {
			if run.Len() > 0 {
				fmt.Fprintf(&by[with].text, `<text x="%s" y="%s" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
					num(margin+float64(from)*cellWide), num(margin+float64(y)*cellHigh+13), num(float64(until-from)*cellWide), run.String())
			}
			run.Reset()
		}
		for x := 0; x < emu.Width(); x++ {
			c := emu.CellAt(x, y)
			if c == nil || c.Width == 0 || c.Content == "" || c.Content == " " {
				continue
			}
			p, err := penOf(c.Style)
			if err != nil {
				return nil, fmt.Errorf("column %d, line %d: %q: %w", x, y, c.Content, err)
			}
			if by[p] == nil {
				pens, by[p] = append(pens, p), &strokes{}
			}
			if by[p].shape([]rune(c.Content)[0], margin+float64(x)*cellWide, margin+float64(y)*cellHigh) {
				continue
			}
			if run.Len() > 0 && (p != with || x != until) {
				flush()
			}
			if run.Len() == 0 {
				with, from = p, x
			}
			until = x + c.Width
			if err := xml.EscapeText(&run, []byte(c.Content)); err != nil {
				return nil, err
			}
		}
		flush()
	}
	var b bytes.Buffer
	w, h := num(2*margin+float64(emu.Width())*cellWide), num(2*margin+float64(emu.Height())*cellHigh)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect width="%s" height="%s" rx="8" fill="#0d1117"/>`+"\n", w, h)
	for _, p := range pens {
		s := by[p]
		fmt.Fprintf(&b, `<g fill="%s" stroke="none"`, p.colour)
		if p.bold {
			b.WriteString(` font-weight="bold"`)
		}
		if p.faint {
			b.WriteString(` opacity="0.6"`)
		}
		b.WriteString(">\n" + s.text.String())
		if s.lines.Len() > 0 {
			fmt.Fprintf(&b, `<path fill="none" stroke="%s" d="%s"/>`+"\n", p.colour, s.lines.String())
		}
		if s.dots.Len() > 0 {
			fmt.Fprintf(&b, `<path fill="none" stroke="%s" stroke-width="2.4" stroke-linecap="round" d="%s"/>`+"\n", p.colour, s.dots.String())
		}
		if s.fill.Len() > 0 {
			fmt.Fprintf(&b, `<path d="%s"/>`+"\n", s.fill.String())
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// penOf refuses what the view does not use and a picture would not show.
func penOf(s uv.Style) (pen, error) {
	p := pen{colour: "#e6edf3", bold: s.Attrs&uv.AttrBold != 0, faint: s.Attrs&uv.AttrFaint != 0}
	if s.Bg != nil || s.Underline != 0 || s.Attrs&^(uv.AttrBold|uv.AttrFaint) != 0 {
		return p, errors.New("a background, a line or a reversed text is not drawn")
	}
	if s.Fg != nil {
		c, basic := s.Fg.(ansi.BasicColor)
		if p.colour = palette[c]; !basic || p.colour == "" {
			return p, fmt.Errorf("no colour of the picture for %v", color.RGBAModel.Convert(s.Fg))
		}
	}
	return p, nil
}

// arms tells of a sign of a frame which sides of its cell it leads to.
var arms = map[rune]string{'─': "lr", '│': "ud", '╭': "rd", '╮': "ld", '╰': "ru", '╯': "lu", '┼': "lrud", '┤': "lud", '├': "rud", '┬': "lrd", '┴': "lru"}

// shape draws a sign that is not left to a font; x and y are the corner of its cell.
func (s *strokes) shape(r rune, x, y float64) bool {
	mid, half := x+cellWide/2, y+cellHigh/2
	ends := map[rune][2]float64{'l': {x, half}, 'r': {x + cellWide, half}, 'u': {mid, y}, 'd': {mid, y + cellHigh}}
	switch {
	case strings.ContainsRune("╭╮╰╯", r):
		from, to := ends[rune(arms[r][0])], ends[rune(arms[r][1])]
		fmt.Fprintf(&s.lines, "M%s %sQ%s %s %s %s", num(from[0]), num(from[1]), num(mid), num(half), num(to[0]), num(to[1]))
	case arms[r] != "":
		for _, side := range arms[r] {
			fmt.Fprintf(&s.lines, "M%s %sL%s %s", num(mid), num(half), num(ends[side][0]), num(ends[side][1]))
		}
	case r == '┊':
		for i := range 4 {
			fmt.Fprintf(&s.lines, "M%s %sv2.2", num(mid), num(y+1+float64(i)*cellHigh/4))
		}
	case r >= '▁' && r <= '█':
		high := float64(r-'▁'+1) / 8 * (cellHigh - 4) // lines of bars do not touch
		fmt.Fprintf(&s.fill, "M%s %sh%sv%sh-%sz", num(x), num(y+cellHigh-2-high), num(cellWide), num(high), num(cellWide))
	case r == '░':
		for i := range 12 {
			fmt.Fprintf(&s.fill, "M%s %sh1.2v1.2h-1.2z", num(x+1+float64(i%3)*2.8), num(y+3+float64(i/3)*3.6))
		}
	case r > 0x2800 && r <= 0x28ff:
		for i, at := range [8][2]float64{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}} {
			if (r-0x2800)>>i&1 != 0 {
				fmt.Fprintf(&s.dots, "M%s %sh0", num(x+(at[0]+.5)*cellWide/2), num(y+(at[1]+.5)*cellHigh/4))
			}
		}
	default:
		return false
	}
	return true
}

// num gives a number of an SVG, to a hundredth of a pixel.
func num(f float64) string {
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// TestAPictureHasEachTextInItsColumns: what is drawn is well-formed, says each text once, and where it stands.
func TestAPictureHasEachTextInItsColumns(t *testing.T) {
	t.Parallel()
	emu := vt.NewEmulator(20, 3)
	if _, err := emu.WriteString("a<b  \x1b[32m中文\x1b[0m┤█⠁\r\n\x1b[2m┊░╭\x1b[0mx"); err != nil {
		t.Fatal(err)
	}
	b, err := drawn(emu)
	if err != nil {
		t.Fatal(err)
	}
	type text struct {
		X, Y   float64
		Length float64
		Says   string
	}
	var got []text
	var paths int
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, b)
		}
		start, is := token.(xml.StartElement)
		if is && start.Name.Local == "path" {
			paths++
		}
		if !is || start.Name.Local != "text" {
			continue
		}
		var e struct {
			X      float64 `xml:"x,attr"`
			Y      float64 `xml:"y,attr"`
			Length float64 `xml:"textLength,attr"`
			Says   string  `xml:",chardata"`
		}
		if err := d.DecodeElement(&e, &start); err != nil {
			t.Fatal(err)
		}
		got = append(got, text{(e.X - margin) / cellWide, (e.Y - margin - 13) / cellHigh, e.Length / cellWide, e.Says})
	}
	round := func(f float64) float64 { return math.Round(f*10) / 10 }
	for i := range got {
		got[i].X, got[i].Y, got[i].Length = round(got[i].X), round(got[i].Y), round(got[i].Length)
	}
	want := []text{{0, 0, 3, "a<b"}, {3, 1, 1, "x"}, {5, 0, 4, "中文"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("texts %v, want %v", got, want)
	}
	if paths != 5 { // a line, a block, a dot; a line and a shade that are faint
		t.Errorf("%d paths, want 5, in\n%s", paths, b)
	}
	for _, bad := range []string{"\x1b[7mreversed", "\x1b[41mon red", "\x1b[38;5;200mof another colour"} {
		emu := vt.NewEmulator(20, 1)
		_, _ = emu.WriteString(bad)
		if _, err := drawn(emu); err == nil {
			t.Errorf("%q is drawn, and would not be shown", bad)
		}
	}
}
