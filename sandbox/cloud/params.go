package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// bodyLimit is far above the largest batch a client sends.
const bodyLimit = 8 << 20

// params are a request's parameters in two forms: as signed, and flat, where
// an array reads as Name.0.Field whatever the request's encoding.
type params struct {
	signed map[string]any
	flat   map[string]string
	strict bool
}

// readParams reads a POST form, a POST of JSON or a GET's query. An Action in
// the URL of a POST counts only when the body has none.
func readParams(r *http.Request, strict bool) (params, error) {
	p := params{signed: map[string]any{}, flat: map[string]string{}, strict: strict}
	if r.Method == http.MethodGet {
		p.take(r.URL.Query())
		return p, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return p, fmt.Errorf("request body: %w", err)
	}
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		err = p.takeJSON(body)
	} else {
		var form url.Values
		if form, err = url.ParseQuery(string(body)); err == nil {
			p.take(form)
		}
	}
	if err != nil {
		return p, fmt.Errorf("request body: %w", err)
	}
	if p.flat["Action"] == "" {
		p.flat["Action"] = r.URL.Query().Get("Action")
	}
	return p, nil
}

func (p params) take(form url.Values) {
	for name, values := range form {
		p.signed[name], p.flat[name] = values[0], values[0]
	}
}

func (p params) takeJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	maps.Copy(p.signed, all)
	for name, value := range all {
		p.flatten(name, value)
	}
	return nil
}

// flatten writes a JSON value under the names a form would use.
func (p params) flatten(name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for field, inner := range v {
			p.flatten(name+"."+field, inner)
		}
	case []any:
		for i, inner := range v {
			p.flatten(name+"."+strconv.Itoa(i), inner)
		}
	case nil: // as if it were not there
	default:
		var text strings.Builder
		spell(&text, v)
		p.flat[name] = text.String()
	}
}

// text returns a parameter, "" when it is missing.
func (p params) text(name string) string { return p.flat[name] }

// has reports whether a parameter was sent with something in it.
func (p params) has(name string) bool { return p.flat[name] != "" }

// list returns the elements of an array parameter in the order of their
// indices, each as its own params: Name.3.Field becomes Field of the fourth,
// and a plain Name.3 becomes "". Gaps between the indices are passed over;
// where elements begin at 1 that is only a gap at 0. Unless strict, the
// singular of the name will do as well: UCloud's own sample says Attribute.N.
func (p params) list(name string) []params {
	elements := map[int]params{}
	for key, value := range p.flat {
		rest, found := strings.CutPrefix(key, name+".")
		if !found && !p.strict {
			rest, found = strings.CutPrefix(key, strings.TrimSuffix(name, "s")+".")
		}
		if !found {
			continue
		}
		index, field, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 {
			continue
		}
		if elements[i].flat == nil {
			elements[i] = params{flat: map[string]string{}, strict: p.strict}
		}
		elements[i].flat[field] = value
	}
	order := slices.Sorted(maps.Keys(elements))
	if p.strict && len(order) > 0 && order[0] != 0 {
		return nil
	}
	list := make([]params, len(order))
	for at, i := range order {
		list[at] = elements[i]
	}
	return list
}

// whole reads an optional whole number, nil when it is not there.
func (p params) whole(name string) (*int, error) {
	if !p.has(name) {
		return nil, nil
	}
	n, err := strconv.Atoi(p.flat[name])
	if err != nil {
		return nil, unavailable(name)
	}
	return &n, nil
}

// yes reads an optional switch, sent as 0 and 1 or as false and true; nil when
// it is not there.
func (p params) yes(name string) (*bool, error) {
	var is bool
	switch p.flat[name] {
	case "":
		return nil, nil
	case "0", "false":
	case "1", "true":
		is = true
	default:
		return nil, unavailable(name)
	}
	return &is, nil
}
