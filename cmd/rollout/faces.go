package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed59ee9cdc/rollout/plans"
)

// faces tell machines of a plan by what an answer calls them.
type faces struct {
	host  map[string]string // by name, host, address, public address, or host:port of a connector: the host of the plan
	group map[string]string // by the host of the plan
}

// faces gives every word by which a machine of the plan may be told; one that is said of two machines tells neither. known is what the masters
// of a Pomelo service say.
func (s *site) faces(p plans.Plan, known herds) faces {
	w, twice := faces{host: map[string]string{}, group: map[string]string{}}, map[string]bool{}
	call := func(word, host string) {
		was, ok := w.host[word]
		twice[word] = twice[word] || ok && was != host
		w.host[word] = host
	}
	for _, m := range p.Machines {
		w.group[m.Host] = m.Group
		call(m.Name, m.Host)
		call(m.Host, m.Host)
	}
	listed := slices.Clone(s.cfg.Machines)
	for _, g := range s.cfg.Groups {
		listed = append(listed, g.Machines...)
	}
	for _, m := range listed {
		for _, word := range []string{m.Address, m.Public} {
			if _, planned := w.group[m.Host]; planned && word != "" {
				call(word, m.Host)
			}
		}
	}
	for _, c := range known {
		for _, sv := range c.Sessions(s.cfg.Pomelo.Sessions) {
			if host, ok := w.host[c.Machine(sv.Host)]; ok {
				call(net.JoinHostPort(sv.ClientHost, strconv.Itoa(sv.ClientPort)), host)
			}
		}
	}
	maps.DeleteFunc(w.host, func(word, _ string) bool { return twice[word] })
	return w
}

// of gives the machine behind a host:port that players are told.
func (w faces) of(addr string) (string, error) {
	if host, ok := w.host[addr]; ok {
		return host, nil
	}
	at, _, err := net.SplitHostPort(addr)
	if host, ok := w.host[at]; ok && err == nil {
		return host, nil
	}
	return "", fmt.Errorf("the answer names %s, which is no machine of this run", addr)
}

// named gives the first machine that a line names; empty where it names none. A line that names machines of both groups is an error: it does
// not say whose it is.
func (w faces) named(line string) (string, error) {
	first, found := len(line), ""
	for _, word := range slices.Sorted(maps.Keys(w.host)) {
		at := whole(line, word)
		if at < 0 {
			continue
		}
		host := w.host[word]
		if found != "" && w.group[host] != w.group[found] {
			return "", fmt.Errorf("the answer %.80q names machines of both groups", strings.TrimSpace(line))
		}
		if at < first {
			first, found = at, host
		}
	}
	return found, nil
}

// whole gives where a line holds a word that is not part of a longer one, as game-1 is of game-12; -1: nowhere.
func whole(line, word string) int {
	for from := 0; ; {
		i := strings.Index(line[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(line[:i])
		if !wordly(before) && before != '.' && ends(line[i+len(word):]) {
			return i
		}
		from = i + 1
	}
}

// ends says whether a word ends before rest; a dot ends it where it ends a sentence.
func ends(rest string) bool {
	r, size := utf8.DecodeRuneInString(rest)
	if r == '.' {
		r, _ = utf8.DecodeRuneInString(rest[size:])
	}
	return !wordly(r)
}

func wordly(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_')
}
