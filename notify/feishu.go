package notify

import (
	"encoding/base64"
	"strconv"
	"time"
)

// feishuText is how long the text of a card may be; a request may have 20 KB.
const feishuText = 12_000

type (
	feishuBody struct {
		Timestamp string     `json:"timestamp,omitempty"`
		Sign      string     `json:"sign,omitempty"`
		Type      string     `json:"msg_type"`
		Card      feishuCard `json:"card"`
	}
	feishuCard struct {
		Config   map[string]bool `json:"config"`
		Header   feishuHeader    `json:"header"`
		Elements []feishuElement `json:"elements"`
	}
	feishuHeader struct {
		Title    feishuPlain `json:"title"`
		Template string      `json:"template"` // its colour
	}
	feishuElement struct {
		Tag  string      `json:"tag"`
		Text feishuPlain `json:"text"`
	}
	feishuPlain struct {
		Tag     string `json:"tag"`
		Content string `json:"content"`
	}
)

// feishu makes the request of a custom robot of Feishu or Lark: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. The signature is
// that of nothing, by "timestamp\nsecret", in the body. The card is of plain text: nothing in it is acted on.
func (p *post) feishu(r Receiver, m Message, at time.Time) error {
	plain := func(s string) feishuPlain { return feishuPlain{"plain_text", s} }
	colour := map[Level]string{Info: "blue", Good: "green", Warn: "orange", Bad: "red"}[m.Level]
	text := m.joined("\n", func(l Line) string { return l.Label + m.colon() + l.Text })
	b := feishuBody{Type: "interactive", Card: feishuCard{
		Config:   map[string]bool{"wide_screen_mode": true},
		Header:   feishuHeader{plain(m.Title), colour},
		Elements: []feishuElement{{"div", plain(clip(text, feishuText))}},
	}}
	if r.Secret != "" {
		b.Timestamp = strconv.FormatInt(at.Unix(), 10)
		p.signed = base64.StdEncoding.EncodeToString(signature(b.Timestamp+"\n"+string(r.Secret), ""))
		b.Sign = p.signed
	}
	return p.json(b)
}
