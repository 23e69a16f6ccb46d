package pomelo

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The functions of this file do to plain JSON values what JavaScript does,
// because the meaning of a servers.json hangs on it.

// truthy is what `if (v)` goes by: "0" is true, 0 is not.
func truthy(v any) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case float64:
		return x != 0 && !math.IsNaN(x)
	case string:
		return x != ""
	}
	return true
}

// text is String(v); false where that throws, which an object with a toString
// of its own does.
func text(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "null", true
	case bool:
		return strconv.FormatBool(x), true
	case float64:
		return number(x), true
	case string:
		return x, true
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			s, ok := text(e)
			if !ok {
				return "", false
			}
			if e != nil { // null is nothing in a joined list
				parts[i] = s
			}
		}
		return strings.Join(parts, ","), true
	case map[string]any:
		if _, own := x["toString"]; own {
			return "", false
		}
	}
	return "[object Object]", true
}

// number is String(f).
func number(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case a >= 1e21 || a < 1e-6:
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return strings.Replace(s, "e-0", "e-", 1)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// parseInt is parseInt(s): leading space, a sign, 0x, and as many digits as
// there are; NaN where there is none.
func parseInt(s string) float64 {
	s = strings.TrimLeftFunc(s, func(r rune) bool {
		return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r)
	})
	sign := ""
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		sign, s = s[:1], s[1:]
	}
	digits, before, after := "0123456789", "", ""
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		s, digits, before, after = s[2:], "0123456789abcdefABCDEF", "0x", "p0"
	}
	end := 0
	for end < len(s) && strings.IndexByte(digits, s[end]) >= 0 {
		end++
	}
	if end == 0 {
		return math.NaN()
	}
	// Out of range is ±Inf beside the error, which is JavaScript's answer too.
	f, _ := strconv.ParseFloat(sign+before+s[:end]+after, 64)
	return f
}

// base is the number that a field with "++" starts from, and whether the field
// counts at all: "++" must not be its beginning. JavaScript cuts the last two
// characters, or elements of a list, and takes parseInt of the rest.
func base(v any) (float64, bool) {
	s, ok := text(v)
	if !ok || strings.Index(s, "++") <= 0 {
		return 0, false
	}
	switch x := v.(type) {
	case string:
		// The cut never reaches the digits before the first "++".
		digits, _, _ := strings.Cut(x, "++")
		return parseInt(digits), true
	case []any:
		s, _ = text(x[:max(0, len(x)-2)])
		return parseInt(s), true
	}
	return 0, false
}

// order is the order in which `for (k in o)` visits keys: whole numbers first,
// by size, then the others as written.
func order(keys []string) []string {
	var numbers []uint64
	var words []string
	for _, k := range keys {
		if n, err := strconv.ParseUint(k, 10, 32); err == nil && strconv.FormatUint(n, 10) == k && n < math.MaxUint32 {
			numbers = append(numbers, n)
		} else {
			words = append(words, k)
		}
	}
	slices.Sort(numbers)
	var all []string
	for _, n := range numbers {
		all = append(all, strconv.FormatUint(n, 10))
	}
	return append(all, words...)
}
