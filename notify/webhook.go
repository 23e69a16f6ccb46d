package notify

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// The headers of a webhook. The signature is "sha256=" and the HMAC, in hex, of the timestamp, a full stop and the body.
const (
	headerID        = "X-Rollout-Id"
	headerTimestamp = "X-Rollout-Timestamp" // seconds since 1970
	headerSignature = "X-Rollout-Signature"
)

// hook is what a webhook gets.
type hook struct {
	Schema   string       `json:"schema"` // Schema
	ID       string       `json:"id"`
	Kind     string       `json:"kind"`
	Level    Level        `json:"level"`
	Service  string       `json:"service"`
	Run      string       `json:"run"`
	Releases hookReleases `json:"releases"`
	Sessions hookSessions `json:"sessions"`
	By       string       `json:"by"`
	At       time.Time    `json:"at"` // RFC 3339, UTC
	Lang     string       `json:"lang"`
	Title    string       `json:"title"`
	Lines    []Line       `json:"lines"`
	Next     []string     `json:"next"`
}

type hookReleases struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type hookSessions struct {
	Moved int `json:"moved"`
	Cut   int `json:"cut"`
}

// webhook makes the request of any other receiver.
func (p *post) webhook(r Receiver, m Message, at time.Time) error {
	err := p.json(hook{
		Schema: Schema, ID: m.ID, Kind: m.Kind, Level: m.Level, Service: m.Service, Run: m.Run, Releases: hookReleases{m.From, m.To},
		Sessions: hookSessions{m.Moved, m.Cut}, By: m.By, At: m.At.UTC(), Lang: m.Lang, Title: m.Title, Lines: append([]Line{}, m.Lines...), Next: append([]string{}, m.Next...),
	})
	p.header.Set(headerID, m.ID)
	if r.Secret != "" {
		stamp := strconv.FormatInt(at.Unix(), 10)
		p.signed = hex.EncodeToString(signature(string(r.Secret), stamp+"."+string(p.body)))
		p.header.Set(headerTimestamp, stamp)
		p.header.Set(headerSignature, "sha256="+p.signed)
	}
	return err
}

// json makes v the body. Signs that HTML would act on stay as they are: each service has escapes of its own.
func (p *post) json(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	p.body = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return err
}
