package notify

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// markdownBytes is how long a text may be: WeCom says 4096 bytes, DingTalk more.
const markdownBytes = 4096

// dingTalk makes the request of a custom robot of a group: https://open.dingtalk.com/document/orgapp/custom-robot-access. The signature is that of
// "timestamp\nsecret" by the secret, in the address.
func (p *post) dingTalk(r Receiver, m Message, at time.Time) error {
	if r.Secret != "" {
		stamp := strconv.FormatInt(at.UnixMilli(), 10)
		p.signed = base64.StdEncoding.EncodeToString(signature(string(r.Secret), stamp+"\n"+string(r.Secret)))
		q := p.url.Query()
		q.Set("timestamp", stamp)
		q.Set("sign", p.signed)
		p.url.RawQuery = q.Encode()
	}
	// A paragraph each: a single line end is none there.
	return p.json(struct {
		Type     string   `json:"msgtype"`
		Markdown markdown `json:"markdown"`
	}{"markdown", markdown{Title: m.Title, Text: m.markdown("\n\n")}})
}

// wecom makes the request of a robot of a group: https://developer.work.weixin.qq.com/document/path/91770. Nothing is signed there.
func (p *post) wecom(m Message) error {
	return p.json(struct {
		Type     string   `json:"msgtype"`
		Markdown markdown `json:"markdown"`
	}{"markdown", markdown{Content: m.markdown("\n")}})
}

// markdown is a text in the few marks that both know. One calls it text and wants a title, for the list of chats; the other calls it content.
type markdown struct {
	Title   string `json:"title,omitempty"`
	Text    string `json:"text,omitempty"`
	Content string `json:"content,omitempty"`
}

// markdown writes a message in Markdown.
func (m Message) markdown(end string) string {
	text := "### " + harmless(m.Title) + end + m.joined(end, func(l Line) string { return "**" + harmless(l.Label) + "**" + m.colon() + harmless(l.Text) })
	return clip(text, markdownBytes)
}

// looksLike are characters that Markdown, or these services by signs of their own (<@user>), would act on, and what looks like them. What a machine
// printed may be in a message, and neither service says how a mark is escaped.
var looksLike = strings.NewReplacer("[", "［", "]", "］", "<", "＜", ">", "＞", "*", "＊", "`", "'", "#", "＃", "~", "～", "\\", "＼", "\n", " ")

func harmless(s string) string { return looksLike.Replace(s) }
