package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// largest is the most bytes a file may have: 300 machines need 30 KiB.
const largest = 1 << 20

// Load reads the file and parses it. A file that cannot be read is an error
// that wraps the cause (fs.ErrNotExist); one that can and is wrong is *Faults.
// env looks up the variables of ${NAME}, as os.LookupEnv does; nil knows none.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	return read(path, decoder{env: env})
}

// LoadUntold is Load for who tells nobody: a variable in notify that is not set
// is no mistake then. Whoever wants to stop a run from another terminal need
// not have the secrets of the one that began it. A receiver of which a secret
// is missing has no URL.
func LoadUntold(path string, env func(string) (string, bool)) (Config, error) {
	return read(path, decoder{env: env, untold: true})
}

func read(path string, d decoder) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return d.parse(path, data)
}

// Parse turns the bytes of a file into a Config. The error is *Faults and
// holds every mistake found; name stands in them for the file.
func Parse(name string, data []byte, env func(string) (string, bool)) (Config, error) {
	d := decoder{env: env}
	return d.parse(name, data)
}

func (d *decoder) parse(name string, data []byte) (Config, error) {
	d.file, d.at, d.known = name, map[string]place{}, map[string][]string{}
	c := d.config(data)
	if len(d.faults) > 0 {
		return Config{}, &Faults{All: sorted(d.faults)}
	}
	for i, n := range c.Notify { // without the key that it wants, nothing could be told either
		if n.Secret == "" && d.given("notify["+strconv.Itoa(i)+"].secret") {
			c.Notify[i].URL = ""
		}
	}
	sum := sha256.Sum256(data)
	c.Path, c.Sum = name, hex.EncodeToString(sum[:])
	return c, nil
}

func (d *decoder) config(data []byte) Config {
	c := Default()
	root := d.root(data)
	if root == nil {
		return c
	}
	paths(reflect.TypeFor[Config](), "", d.known)
	d.at[""] = place{value: root}
	d.structure(reflect.ValueOf(&c).Elem(), root, "")
	if root.Kind == yaml.MappingNode {
		d.check(c)
	}
	return c
}

// root is the top of the one document, or nil after a fault that leaves
// nothing to look at.
func (d *decoder) root(data []byte) *yaml.Node {
	if len(data) > largest {
		d.faultAt(1, 1, "", "the file is larger than 1 MiB", "")
		return nil
	}
	if isUTF16(data) {
		d.faultAt(1, 1, "", "the file is UTF-16", "save it as UTF-8")
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d.lines = linesOf(string(data))
	if !d.plain() {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.syntax(err)
		return nil
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		d.faultAt(1, 1, "", "the file is empty", "`rollout init` writes one")
		return nil
	} else if err != nil {
		d.syntax(err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		d.faultAt(second.Line, second.Column, "", "a second document begins here", "put it into a file of its own")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil
	}
	if d.bomb(&doc) || len(doc.Content) != 1 {
		return nil
	}
	return doc.Content[0]
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) ||
		len(data) > 1 && (data[0] == 0) != (data[1] == 0)
}

// plain refuses bytes that are no text, with the place of the first: the
// parser would name none.
func (d *decoder) plain() bool {
	for i, line := range d.lines {
		col := 0
		for rest := line; rest != ""; {
			r, size := utf8.DecodeRuneInString(rest)
			rest = rest[size:]
			col++
			if r == utf8.RuneError && size == 1 {
				d.faultAt(i+1, col, "", "this is no UTF-8", "save the file as UTF-8")
				return false
			}
			if bad, found := badRune(string(r), false); found && bad != '\t' && bad != '\ufeff' && bad != utf8.RuneError {
				d.faultAt(i+1, col, "", fmt.Sprintf("the character %U cannot stand here", bad), "")
				return false
			}
		}
	}
	return true
}

var tabbed = regexp.MustCompile(`^ *\t`)

func (d *decoder) syntax(err error) {
	var parse *yaml.LoadError
	if !errors.As(err, &parse) {
		d.faultAt(1, 1, "", err.Error(), "")
		return
	}
	message := parse.Message
	if parse.ContextMsg != "" {
		message += " " + parse.ContextMsg
		if parse.ContextMark.Line > 0 && parse.ContextMark.Line != parse.Mark.Line {
			message += fmt.Sprintf(" that begins on line %d", parse.ContextMark.Line)
		}
	}
	line, hint := max(1, parse.Mark.Line), ""
	if line <= len(d.lines) && tabbed.MatchString(d.lines[line-1]) {
		hint = "indent with spaces, not with tabs"
	}
	d.faultAt(line, max(1, parse.Mark.Column), "", message, hint)
}
