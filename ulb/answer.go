package ulb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// head is what every answer of UCloud begins with.
type head struct {
	Action  string
	RetCode code
	Message json.RawMessage // a string, but it never decides anything, so it may be what it likes
}

// code is a RetCode. UCloud sends it as a number, old gateways as a string; an answer without one is not UCloud's.
type code struct {
	value int
	given bool
}

// UnmarshalJSON takes 171 and "171".
func (c *code) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	n, err := strconv.Atoi(string(bytes.Trim(b, `"`)))
	if err != nil {
		return errors.New("RetCode is not a whole number")
	}
	c.value, c.given = n, true
	return nil
}

// decodeHead tells UCloud's answer to this action from anything else that can come with HTTP 200: {}, null, a login page, the
// answer to another question.
func decodeHead(action string, body []byte) (head, error) {
	var h head
	switch err := json.Unmarshal(body, &h); {
	case len(bytes.TrimSpace(body)) == 0:
		return h, fmt.Errorf("%s: answer is empty", action)
	case err != nil:
		return h, fmt.Errorf("%s: answer is not UCloud's: %w", action, plain(err))
	case !h.RetCode.given:
		return h, fmt.Errorf("%s: answer is not UCloud's: no RetCode", action)
	case h.Action == action+"Response":
		return h, nil
	// A refusal that comes before the gateway knows the action may leave it out.
	case h.Action == "" && h.RetCode.value != 0:
		return h, nil
	}
	return h, fmt.Errorf("%s: answer is to another action", action)
}

// message is the text of a refusal.
func (h head) message() string {
	var s string
	_ = json.Unmarshal(h.Message, &s)
	return s
}

// decode reads an answer into to, a pointer.
func decode(body []byte, to any) error {
	if err := json.Unmarshal(body, to); err != nil {
		return plain(err)
	}
	return nil
}

// plain says what is wrong with an answer in a person's words, and without quoting the answer.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("a JSON %s where %s should be %s", jsonKind(kind.Value), kind.Field, kind.Type)
	case errors.As(err, &kind):
		return fmt.Errorf("a JSON %s where %s was expected", jsonKind(kind.Value), kind.Type.Kind())
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	}
	return err
}

// jsonKind drops the literal the decoder adds to "number".
func jsonKind(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	return kind
}

// number takes 6150 and "6150": UCloud's documents show ALB's ports both ways.
type number int

// UnmarshalJSON takes a whole number, bare or in quotes; null and "" leave 0.
func (n *number) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "null" || text == "" {
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil {
		return errors.New("a port is not a whole number")
	}
	*n = number(v)
	return nil
}

// oneOf takes {…} and [{…}]: UCloud's documents show ALB's configurations both ways.
type oneOf[T any] struct{ it T }

// UnmarshalJSON takes an object, or the first object of an array.
func (o *oneOf[T]) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("[")) {
		return json.Unmarshal(b, &o.it)
	}
	var many []T
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	if len(many) > 0 {
		o.it = many[0]
	}
	return nil
}

// verdict is what an update says of one backend. CLB's batch always gives one per backend under RetCode 0; UCloud's document
// of the single update shows one as well, although its SDK knows no such field.
type verdict struct {
	BackendID  string `json:"BackendId"`
	SubRetCode code
	SubMessage string
}
