package ulb

import (
	"fmt"
	"slices"
)

// APIError is UCloud's own word that an action was not done: a RetCode other than 0. A SubRetCode, which speaks of one
// backend, is one too. Match RetCode, never Message: messages come in Chinese or English.
type APIError struct {
	Action  string // such as "UpdateBackendAttribute"
	RetCode int    // see docs.ucloud.cn/api/summary/public and ulb-api/error_code
	Message string // as UCloud said it, shortened, secrets and control characters taken out
	Retry   bool   // whether the same request may succeed later: throttled, unavailable, "try again later"
}

// Error says what was refused, with code and message.
func (e *APIError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s: RetCode %d", e.Action, e.RetCode)
	}
	return fmt.Sprintf("%s: RetCode %d: %s", e.Action, e.RetCode, e.Message)
}

// AuthError says that UCloud refuses the credentials (RetCode 160 to 174), that they may not do this (292 to 299: project,
// zone, address, security lock, IAM), or that there are none that can be used. Repeating does not help; other keys do.
type AuthError struct{ Err error }

// Error is the cause's own sentence.
func (e *AuthError) Error() string { return "credentials: " + e.Err.Error() }

// Unwrap returns the cause: an *APIError when UCloud spoke.
func (e *AuthError) Unwrap() error { return e.Err }

// NotFoundError says that UCloud knows no balancer, listener or backend of that id in this region and project.
type NotFoundError struct {
	What string // such as "balancer ulb-abc"; empty where the cause says it
	Err  error  // the *APIError, or nil when the answer was a list without it
}

// Error names what is missing.
func (e *NotFoundError) Error() string {
	switch {
	case e.Err == nil:
		return e.What + ": not found in this region and project"
	case e.What == "":
		return "not found: " + e.Err.Error()
	}
	return e.What + ": not found: " + e.Err.Error()
}

// Unwrap returns the *APIError, or nil.
func (e *NotFoundError) Unwrap() error { return e.Err }

// RefusedError says that a write was surely not carried out: it never left, or UCloud said no.
type RefusedError struct {
	Retry bool  // whether the same write is worth repeating: no connection, throttled, not sent because we were cancelled
	Err   error // why
}

// Error is the cause's own sentence.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// UCloud's RetCodes, as far as they change what we do.
const (
	codeTimeout = 110  // the gateway waited 60 s for the product: nobody knows whether it was carried out
	codeProduct = 2000 // from here on the product itself speaks, not the gateway in front of it
)

// passing are the RetCodes that may be gone the next time: gateway failure, unavailable, throttled, and four of the product
// whose text ends in "please try again later".
var passing = []int{codeTimeout, 130, 150, 153, 4071, 4104, 4126, 4152}

// missing are the RetCodes for "no such thing". 4086 and 4103 are documented as "get failed" but are what one gets for an
// unknown id (so does UCloud's terraform provider take them); they have been seen for living ones too, hence Read asks twice.
var missing = []int{4086, 4088, 4093, 4103, 4143, 4148}

// apiError gives a RetCode its class.
func apiError(action string, code int, message string) error {
	e := &APIError{Action: action, RetCode: code, Message: message, Retry: slices.Contains(passing, code)}
	switch {
	case code >= 160 && code <= 174, code >= 292 && code <= 299:
		return &AuthError{Err: e}
	case slices.Contains(missing, code):
		return &NotFoundError{Err: e}
	}
	return e
}
