package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// form is what a text must look like, named by the tag `is`.
type form struct {
	pattern string            // for the schema; "" where it says too little
	ok      func(string) bool // the whole truth
	say     string            // what it must be, after "must be"
}

func formOf(name string) form {
	switch name {
	case "id": // ASCII only: it becomes the name of a directory, or stands in a line of a shell
		return matching(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`,
			"a name of 1 to 64 of a-z, A-Z, 0-9, . _ and - that starts with none of . and -")
	case "user":
		return matching(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`, "the name of an account")
	case "unit":
		return matching(`^[A-Za-z0-9_@][A-Za-z0-9_@:.\\-]{0,255}$`, "the name of a unit, e.g. game.service")
	case "dir":
		return matching(`^/`, "an absolute path")
	case "host":
		return form{`^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$`, isHost, "a host name or an address alone (user and port are keys of their own)"}
	case "jump":
		return form{`^([A-Za-z0-9._-]+@)?[^@ ]+$`, isJump, "a jump host: [user@]host[:port]"}
	case "ip":
		return form{`^[0-9A-Fa-f:.]+$`, isIP, "an IP address"}
	case "listen":
		return form{`^.*:[0-9]+$`, isListen, "host:port"}
	case "address":
		return form{`^.+:[0-9]+$`, isAddress, "host:port"}
	case "url":
		return form{`^https?://`, isURL, "an address such as https://host/path"}
	case "api":
		return form{`^https?://`, isAPI, "an https address (http only on loopback)"}
	}
	return form{ok: func(string) bool { return true }}
}

func matching(pattern, say string) form {
	// $ of Go's regexp is the very end, so no line break slips through.
	return form{pattern, regexp.MustCompile(pattern).MatchString, say}
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$`)

func isHost(s string) bool { return hostName.MatchString(s) || isIP(s) }

func isIP(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 65536 && s[0] != '+'
}

func isJump(s string) bool {
	if user, rest, found := strings.Cut(s, "@"); found {
		if !formOf("user").ok(user) {
			return false
		}
		s = rest
	}
	if isHost(s) {
		return true
	}
	host, port, err := net.SplitHostPort(s)
	return err == nil && isHost(host) && isPort(port)
}

func isListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && (host == "" || isHost(host)) && (port == "0" || isPort(port))
}

func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && isHost(host) && isPort(port)
}

func isURL(s string) bool {
	// {host} is filled in for each machine; a host name stands in for it here.
	u, err := url.Parse(strings.ReplaceAll(s, "{host}", "host"))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

func isAPI(s string) bool {
	u, err := url.Parse(s)
	if err != nil || !isURL(s) {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// badRune finds a character that has no place in a text: a shell line may have
// several lines and tabs, any other text only what can be seen. NUL ends a
// command early, CR makes it another one than it looks, and so does what turns
// the direction of writing.
func badRune(s string, shell bool) (rune, bool) {
	for _, r := range s {
		if shell && (r == '\n' || r == '\t') {
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == unicode.ReplacementChar {
			return r, true
		}
	}
	return 0, false
}
