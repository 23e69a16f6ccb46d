package pomelo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// Ask sends one request after another to route, like "gate.gateHandler.queryEntry",
// over one connection, as a user does, and returns the answers in the order of
// bodies, each of which is sent as JSON. The dictionary of routes is used where
// there is one; a route with protos is refused, since protobuf is not spoken
// here. Pomelo need not answer a request: only the end of ctx ends that wait.
//
// conn is closed in any case; for the rest the errors are those of Greet.
func Ask(ctx context.Context, conn net.Conn, route string, bodies []any) ([]json.RawMessage, error) {
	var all []json.RawMessage
	err := visit(ctx, conn, func(c *client) error {
		code, err := c.code(route)
		if err != nil {
			return err
		}
		for i, body := range bodies {
			one, err := c.request(uint64(i)+1, route, code, body) // id 0 is a notification's
			if err != nil {
				return fmt.Errorf("request %d of %d: %w", i+1, len(bodies), err)
			}
			all = append(all, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", route, err)
	}
	return all, nil
}

// code is the route's number in the dictionary, 0 for none.
func (c *client) code(route string) (uint16, error) {
	quoted, err := json.Marshal(route)
	if err != nil {
		return 0, err
	}
	// Wherever in the protos it is named: the plugins shape them differently.
	if bytes.Contains(c.sys.Protos, quoted) {
		return 0, fmt.Errorf("the app has protos for this route, and protobuf is not spoken here: name a route without")
	}
	code := c.sys.Dict[route]
	if code != math.Trunc(code) || code < 0 || code > math.MaxUint16 {
		return 0, fmt.Errorf("the dictionary gives it the number %v", code)
	}
	return uint16(code), nil
}

// request sends one request and waits for its answer.
func (c *client) request(id uint64, route string, code uint16, body any) (json.RawMessage, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	b, err := appendRequest(nil, id, route, code, text)
	if err != nil {
		return nil, err
	}
	if err := c.send(packageData, b); err != nil {
		return nil, err
	}
	for {
		b, err := c.next()
		if err != nil {
			return nil, err
		}
		to, body, ok, err := response(b)
		switch {
		case err != nil:
			return nil, err
		case !ok || to != id:
			continue
		case !json.Valid(body):
			return nil, fmt.Errorf("answer %s: no JSON", shown(string(body)))
		}
		return json.RawMessage(bytes.Clone(body)), nil
	}
}

// Directions asks a gate n times which connector to use, for the users "0" to
// n-1 in the field of that name, and counts the answers by host:port. An answer
// has host and port; its code, if any, must be 200. Which users meet which
// connector is the app's own affair: where it takes the user modulo the number
// of connectors, n of that number names them all, where it hashes more are
// needed.
//
// The users are strings, as those of players often are: "0" is true in
// JavaScript and can be hashed and counted with, the number 0 is neither.
//
// conn is closed in any case; for the rest the errors are those of Greet.
func Directions(ctx context.Context, conn net.Conn, route, field string, n int) (map[string]int, error) {
	bodies := make([]any, max(n, 0))
	for i := range bodies {
		bodies[i] = map[string]string{field: strconv.Itoa(i)}
	}
	answers, err := Ask(ctx, conn, route, bodies)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for i, a := range answers {
		to, err := direction(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %s %d: %w", route, field, i, err)
		}
		count[to]++
	}
	return count, nil
}

// direction is the host:port of one answer.
func direction(answer json.RawMessage) (string, error) {
	var said struct {
		Code *figure
		Host string
		Port figure
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return "", fmt.Errorf("answer %s: %w", shown(string(answer)), err)
	}
	if said.Code != nil && *said.Code != codeOK {
		return "", fmt.Errorf("the gate answers code %v: %s", float64(*said.Code), shown(string(answer)))
	}
	port := int(min(max(said.Port, 0), math.MaxUint16+1))
	strange := strings.ContainsFunc(said.Host, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	if said.Host == "" || strange || figure(port) != said.Port || port < 1 || port > math.MaxUint16 {
		return "", fmt.Errorf("answer %s: no host and port", shown(string(answer)))
	}
	return net.JoinHostPort(said.Host, strconv.Itoa(port)), nil
}
