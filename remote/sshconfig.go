package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// settings is what an ssh_config says, of the few keywords that are heeded:
// HostName, User, Port, IdentityFile, ProxyJump, UserKnownHostsFile. Nothing
// that names a program is ever run.
type settings struct {
	path string
	file *ssh_config.Config // nil: there is none
}

// readSettings reads the ssh_config at path. An absent file is an empty one
// unless it must be there.
func readSettings(path string, must bool) (settings, []string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return settings{path: path}, nil, nil
	}
	if err != nil {
		return settings{}, nil, fmt.Errorf("ssh_config: %w", err)
	}
	text, skipped := withoutMatch(text)
	file, err := ssh_config.DecodeBytes(text)
	if err != nil {
		return settings{}, nil, fmt.Errorf("ssh_config %s: %w", path, err)
	}
	return settings{path, file}, skipped, nil
}

// withoutMatch blanks the Match blocks that depend on more than the host's
// name: some of them run programs, and the library refuses the whole file for
// the sake of one. It returns the lines it left out as "12: Match exec …".
func withoutMatch(text []byte) ([]byte, []string) {
	var skipped []string
	lines := bytes.SplitAfter(text, []byte("\n"))
	skip := false
	for i, line := range lines {
		words := strings.FieldsFunc(strings.ToLower(string(line)), func(r rune) bool {
			return r == ' ' || r == '\t' || r == '=' || r == '\r' || r == '\n'
		})
		if len(words) > 0 && (words[0] == "host" || words[0] == "match") {
			skip = words[0] == "match" && !plainMatch(words[1:])
			if skip {
				skipped = append(skipped, fmt.Sprintf("%d: %s", i+1, bytes.TrimSpace(line)))
			}
		}
		if skip {
			lines[i] = []byte("\n")
		}
	}
	return bytes.Join(lines, nil), skipped
}

// plainMatch reports whether the criteria are those the library knows.
func plainMatch(criteria []string) bool {
	switch {
	case len(criteria) == 0:
		return true // malformed: the library says so better
	case criteria[0] == "all":
		return len(criteria) == 1
	}
	// The library takes a,b for one name, where ssh takes two.
	return criteria[0] == "host" && len(criteria) == 2 && !strings.Contains(criteria[1], ",")
}

// get returns the value of key for host, "" where there is none.
func (s settings) get(host, key string) (string, error) {
	if s.file == nil {
		return "", nil
	}
	v, err := s.file.Get(host, key)
	if err != nil {
		return "", fmt.Errorf("ssh_config %s: %s of %s: %w", s.path, key, host, err)
	}
	return v, nil
}

// apply fills what h leaves open with what the file says of h.name.
func (s settings) apply(h hop, home, me string) (hop, error) {
	var all []error
	get := func(key string) string {
		v, err := s.get(h.name, key)
		all = append(all, err)
		return v
	}
	expand := func(v string) string {
		v, err := h.expand(v, home, me)
		all = append(all, err)
		return v
	}
	if h.port == 0 {
		if p := get("Port"); p != "" {
			n, err := strconv.Atoi(p)
			if err != nil || n < 1 || n > 65535 {
				return h, fmt.Errorf("ssh_config %s: port %q of %s: a port is 1 to 65535", s.path, p, h.name)
			}
			h.port = n
		}
	}
	h.port = or(h.port, 22)
	h.user = or(or(h.user, get("User")), me)
	if h.host == "" {
		h.host = h.name // what %h means in HostName itself
		h.host = or(expand(get("HostName")), h.name)
	}
	if s.file != nil {
		files, err := s.file.GetAll(h.name, "IdentityFile")
		all = append(all, err)
		for _, f := range files {
			if f = unquote(f); !strings.EqualFold(f, "none") {
				h.identities = append(h.identities, expand(f))
			}
		}
	}
	for _, f := range words(get("UserKnownHostsFile")) {
		if !strings.EqualFold(f, "none") {
			h.known = append(h.known, expand(f))
		}
	}
	return h, errors.Join(all...)
}

// jump returns the ProxyJump of h, "" for none, ErrProxyCommand where only a
// program would lead there.
func (s settings) jump(h hop, home, me string) (string, error) {
	jump, err := s.get(h.name, "ProxyJump")
	if err != nil {
		return "", err
	}
	if jump != "" {
		if strings.EqualFold(jump, "none") {
			return "", nil
		}
		return h.expand(jump, home, me)
	}
	command, err := s.get(h.name, "ProxyCommand")
	if err != nil {
		return "", err
	}
	if command != "" && !strings.EqualFold(command, "none") {
		return "", fmt.Errorf("%s: %w", h.name, ErrProxyCommand)
	}
	return "", nil
}

// expand replaces "~/" and the % tokens of ssh_config(5) that need no program.
func (h hop) expand(s, home, me string) (string, error) {
	if rest, ok := strings.CutPrefix(s, "~/"); ok {
		s = home + "/" + rest
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		i++
		token := byte(0)
		if i < len(s) {
			token = s[i]
		}
		switch token {
		case '%':
			b.WriteByte('%')
		case 'd':
			b.WriteString(home)
		case 'h':
			b.WriteString(h.host)
		case 'n':
			b.WriteString(h.name)
		case 'p':
			b.WriteString(strconv.Itoa(h.port))
		case 'r':
			b.WriteString(h.user)
		case 'u':
			b.WriteString(me)
		default:
			return "", fmt.Errorf("ssh_config: %q for %s: this %% token is not known here", s, h.name)
		}
	}
	return b.String(), nil
}

// words splits a value of several file names; one may be in double quotes.
func words(s string) []string {
	var all []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			word, rest, _ := strings.Cut(s[1:], `"`)
			all, s = append(all, word), rest
			continue
		}
		i := strings.IndexAny(s, " \t")
		if i < 0 {
			i = len(s)
		}
		all, s = append(all, s[:i]), s[i:]
	}
	return all
}

// unquote takes double quotes off a value, with its spaces kept.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
