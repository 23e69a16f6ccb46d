package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// answer is what a receiver said.
type answer struct {
	status int
	body   []byte
}

// RefusedError is an answer that says no.
type RefusedError struct {
	Code   string // the service's own, such as errcode 310000, or HTTP 404; like Text without secrets, and cut to a readable length
	Text   string // what it says
	Denied bool   // it refuses who we are: the token, the signature, the address that we come from
}

func (e *RefusedError) Error() string {
	if e.Text == "" {
		return "it answers " + e.Code
	}
	return "it answers " + e.Code + ": " + e.Text
}

// readable is how much of an answer is shown.
const readable = 200

// http is the answer as a refusal by its status.
func (a answer) http() *RefusedError {
	denied := a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
	return &RefusedError{Code: strings.TrimSpace(fmt.Sprintf("HTTP %d %s", a.status, http.StatusText(a.status))), Text: string(a.body), Denied: denied}
}

// plain takes any status of 200 to 299 for a yes.
func (a answer) plain() (string, error) {
	if a.status < 200 || a.status > 299 {
		return "", a.http()
	}
	return fmt.Sprintf("HTTP %d", a.status), nil
}

// slack is a yes where it says so: an incoming webhook answers ok.
func (a answer) slack() (string, error) {
	text := strings.TrimSpace(string(a.body))
	if a.status == http.StatusOK && text == "ok" {
		return text, nil
	}
	e := a.http()
	e.Denied = e.Denied || slices.Contains([]string{"invalid_token", "no_service", "no_service_id", "no_team", "team_disabled", "no_active_hooks"}, text)
	return "", e
}

// coded is a yes where the number of that name is 0, whatever the status. denied are the numbers that refuse who we are.
func (a answer) coded(name, message string, denied ...string) (string, error) {
	said := a.fields()
	code := strings.Trim(string(said[name]), `"`)
	switch {
	case code != "" && code != "0":
		var text string
		_ = json.Unmarshal(said[message], &text) // without it the number says enough
		return "", &RefusedError{Code: name + " " + code, Text: text, Denied: slices.Contains(denied, code)}
	case a.status < 200 || a.status > 299:
		return "", a.http()
	case code == "":
		return "", &RefusedError{Code: fmt.Sprintf("HTTP %d without %s", a.status, name), Text: string(a.body)}
	}
	return name + " 0", nil
}

// feishu is a yes by code, which older robots call StatusCode.
func (a answer) feishu() (string, error) {
	said := a.fields()
	if said["code"] == nil && said["StatusCode"] != nil {
		return a.coded("StatusCode", "StatusMessage")
	}
	return a.coded("code", "msg", "19001", "19021", "19022", "19024")
}

// fields are those of an answer in JSON; none where it is none.
func (a answer) fields() map[string]json.RawMessage {
	var said map[string]json.RawMessage
	_ = json.Unmarshal(a.body, &said) // what is no object has no field
	return said
}
