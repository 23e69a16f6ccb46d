package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// What one inventory may hold: its ranges can stand for billions of machines.
const (
	mostHosts  = 16384
	mostGroups = 1024
)

var hostRange = regexp.MustCompile(`\[([^\[\]:]*):([^\[\]:]*)(?::([^\[\]:]*))?\]`)

// expandHosts writes an Ansible host pattern out: game[1:3], 10.9.0.[1:6],
// web[01:10:3], db-[a:f], several of them in one word. Both ends belong to the
// range, the rightmost range turns fastest.
func expandHosts(pattern string) ([]string, error) {
	found := hostRange.FindAllStringSubmatchIndex(pattern, -1)
	hosts := []string{""}
	done := 0
	for _, m := range found {
		part := func(i int) string {
			if m[i] < 0 {
				return ""
			}
			return pattern[m[i]:m[i+1]]
		}
		values, err := expandRange(part(2), part(4), part(6))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quote(part(0)), err)
		}
		if len(hosts)*len(values) > mostHosts {
			return nil, fmt.Errorf("%s stands for more than %d machines", quote(pattern), mostHosts)
		}
		var longer []string
		for _, h := range hosts {
			for _, v := range values {
				longer = append(longer, h+pattern[done:m[0]]+v)
			}
		}
		hosts, done = longer, m[1]
	}
	for i := range hosts {
		hosts[i] += pattern[done:]
	}
	if strings.ContainsAny(pattern[done:], "[]") || strings.ContainsAny(hosts[0], "[]") {
		return nil, fmt.Errorf("%s: a range is [first:last] or [first:last:step]", quote(pattern))
	}
	return hosts, nil
}

// expandRange counts from first to last, in numbers or letters. A first with a
// leading zero pads all of them.
func expandRange(first, last, step string) ([]string, error) {
	by := 1
	if step != "" {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("the step %s is no number over 0", quote(step))
		}
		by = min(n, 1<<20)
	}
	if last == "" {
		return nil, fmt.Errorf("the range has no end")
	}
	if isLetter(first) && isLetter(last) {
		return expandLetters(letterAt(first), letterAt(last), by)
	}
	if first == "" {
		first = "0"
	}
	from, errFrom := strconv.ParseUint(first, 10, 31)
	to, errTo := strconv.ParseUint(last, 10, 31)
	width := 0
	switch {
	case errFrom != nil || errTo != nil:
		return nil, fmt.Errorf("the ends are neither two numbers nor two letters")
	case len(first) > 1 && first[0] == '0' && len(first) != len(last):
		return nil, fmt.Errorf("with a leading zero both ends need the same length")
	case len(first) > 1 && first[0] == '0':
		width = len(first)
	}
	if from > to {
		return nil, fmt.Errorf("the range runs backwards")
	}
	if (to-from)/uint64(by) >= mostHosts {
		return nil, fmt.Errorf("the range stands for more than %d machines", mostHosts)
	}
	var out []string
	for n := from; n <= to; n += uint64(by) {
		out = append(out, fmt.Sprintf("%0*d", width, n))
	}
	return out, nil
}

// letters are in the order Ansible counts them.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func letterAt(s string) int { return strings.Index(letters, s) }

func isLetter(s string) bool { return len(s) == 1 && letterAt(s) >= 0 }

func expandLetters(from, to, by int) ([]string, error) {
	if from > to {
		return nil, fmt.Errorf("the range runs backwards")
	}
	var out []string
	for i := from; i <= to; i += by {
		out = append(out, letters[i:i+1])
	}
	return out, nil
}
