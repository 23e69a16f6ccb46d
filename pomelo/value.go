package pomelo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
)

// place is where something stands in a file, both from 1; zero is unknown.
type place struct{ line, column int }

// value is one JSON value and its place. is holds nil, bool, float64, string,
// []value or object.
type value struct {
	is any
	at place
}

// object is a JSON object in the order of the file. Of a key that is there
// twice the last counts, as in JavaScript.
type object struct {
	keys   []string
	fields map[string]value
}

// plain is the value without places: nil, bool, float64, string, []any or
// map[string]any.
func (v value) plain() any {
	switch x := v.is.(type) {
	case []value:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = e.plain()
		}
		return list
	case object:
		fields := make(map[string]any, len(x.keys))
		for k, e := range x.fields {
			fields[k] = e.plain()
		}
		return fields
	}
	return v.is
}

// syntaxError is what makes a file no JSON, and where.
type syntaxError struct {
	at  place
	err error
}

func (e *syntaxError) Error() string { return e.err.Error() }

// reader turns checked JSON into values that know their places.
type reader struct {
	data  []byte
	lines []int // offsets at which lines start
	dec   *json.Decoder
}

// parse reads a whole file; the error is a *syntaxError.
func parse(data []byte) (value, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // as require does
	r := &reader{data: data, lines: []int{0}, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber() // 1e999 is Infinity in JavaScript, an error in Go
	for i, b := range data {
		if b == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		var s *json.SyntaxError
		if !errors.As(err, &s) {
			return value{}, &syntaxError{place{1, 1}, err}
		}
		return value{}, &syntaxError{r.place(int(s.Offset) - 1), err}
	}
	v, err := r.value()
	if err != nil {
		return value{}, &syntaxError{r.place(int(r.dec.InputOffset())), err}
	}
	return v, nil
}

func (r *reader) place(offset int) place {
	offset = max(0, offset)
	line := sort.SearchInts(r.lines, offset+1) // the first line that starts after it
	return place{line, offset - r.lines[line-1] + 1}
}

// token reads the next token and says where it starts.
func (r *reader) token() (json.Token, place, error) {
	start := int(r.dec.InputOffset())
	for start < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[start]) >= 0 {
		start++
	}
	t, err := r.dec.Token()
	return t, r.place(start), err
}

func (r *reader) value() (value, error) {
	t, at, err := r.token()
	if err != nil {
		return value{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return r.list(at)
		}
		return r.object(at)
	case json.Number:
		f, err := strconv.ParseFloat(t.String(), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return value{}, fmt.Errorf("number %s: %w", t, err)
		}
		return value{f, at}, nil
	}
	return value{t, at}, nil
}

func (r *reader) list(at place) (value, error) {
	list := []value{}
	for r.dec.More() {
		v, err := r.value()
		if err != nil {
			return value{}, err
		}
		list = append(list, v)
	}
	_, _, err := r.token()
	return value{list, at}, err
}

func (r *reader) object(at place) (value, error) {
	o := object{fields: map[string]value{}}
	for r.dec.More() {
		t, key, err := r.token()
		if err != nil {
			return value{}, err
		}
		v, err := r.value()
		if err != nil {
			return value{}, err
		}
		name := fmt.Sprint(t)
		if _, ok := o.fields[name]; !ok {
			o.keys = append(o.keys, name)
		}
		v.at = key // a fault of a field is shown at its key
		o.fields[name] = v
	}
	_, _, err := r.token()
	return value{o, at}, err
}
