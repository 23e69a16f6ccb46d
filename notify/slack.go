package notify

import "strings"

// slackText is how long a message may be; Slack cuts at 40,000 characters.
const slackText = 12_000

// slackEscape is all that Slack's text wants escaped: https://docs.slack.dev/messaging/formatting-message-text. Without < there is no link and nobody
// is called.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack makes the request of an incoming webhook. Nothing is signed there.
func (p *post) slack(m Message) error {
	text := "*" + slackEscape.Replace(m.Title) + "*\n" + m.joined("\n", func(l Line) string {
		return "*" + slackEscape.Replace(l.Label) + "*" + m.colon() + slackEscape.Replace(l.Text)
	})
	return p.json(struct {
		Text   string `json:"text"`
		Mrkdwn bool   `json:"mrkdwn"`
		Links  bool   `json:"unfurl_links"`
		Media  bool   `json:"unfurl_media"`
	}{clip(text, slackText), true, false, false})
}
