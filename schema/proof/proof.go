package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed59ee9cdc/rollout/schema"
)

// Output says what is wrong with what a command has printed for programs: one document after another, each by the schema that it names, or an event
// of a journal, which names none. It gives their names. Nothing at all is wrong, too.
func Output(printed []byte) ([]string, error) {
	var names []string
	for d := json.NewDecoder(bytes.NewReader(printed)); ; {
		var raw json.RawMessage
		err := d.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF) && len(names) > 0:
			return names, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("nothing was printed")
		case err != nil:
			return names, fmt.Errorf("no JSON: %w", err)
		}
		name, err := document(raw)
		if err != nil {
			return names, fmt.Errorf("document %d, %s: %w", len(names)+1, name, err)
		}
		names = append(names, name)
	}
}

// document holds one against its schema and gives its name.
func document(raw []byte) (string, error) {
	var says struct{ Schema, What string }
	if err := json.Unmarshal(raw, &says); err != nil {
		return "", err
	}
	name := "event"
	if says.Schema != "" || says.What == "" {
		name = strings.TrimSuffix(strings.TrimPrefix(says.Schema, "rollout."), "/v1")
	}
	s, err := compiled(name)
	if err != nil {
		return name, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return name, err
	}
	return name, s.Validate(v)
}

// compiled gives a schema that refuses what it does not name.
func compiled(name string) (*jsonschema.Schema, error) {
	b, ok := schema.Of(name)
	if !ok {
		return nil, fmt.Errorf("%q has no schema", name)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	strictly(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	at := "file:///" + name + ".json"
	if m, is := doc.(map[string]any); is {
		delete(m, "$id")
	}
	if err := c.AddResource(at, doc); err != nil {
		return nil, err
	}
	return c.Compile(at)
}

// strictly refuses in every object of a schema the fields that it does not name.
func strictly(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, object := s["properties"].(map[string]any); object && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
		for _, part := range s {
			strictly(part)
		}
	case []any:
		for _, part := range s {
			strictly(part)
		}
	}
}
