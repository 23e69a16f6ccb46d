package notify

import "strings"

const (
	slackText  = 12_000 // bytes of a message; Slack cuts its text at 40,000 characters, and the blocks hold it once more
	slackBlock = 3_000  // characters of a block; a message with a longer one is refused whole
)

// slackEscape is all that Slack's text wants escaped: https://docs.slack.dev/messaging/formatting-message-text. Without < nothing is a link by its
// markup, and nobody is called.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackSection is a block of text. Verbatim keeps Slack from making links of addresses and names in what a machine printed:
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object.
type slackSection struct {
	Type string    `json:"type"`
	Text slackMark `json:"text"`
}

type slackMark struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

// slack makes the request of an incoming webhook. Nothing is signed there. Where there are blocks, text is what a notification shows.
func (p *post) slack(m Message) error {
	text := clip("*"+slackEscape.Replace(m.Title)+"*\n"+m.joined("\n", func(l Line) string {
		return "*" + slackEscape.Replace(l.Label) + "*" + m.colon() + slackEscape.Replace(l.Text)
	}), slackText)
	return p.json(struct {
		Text   string         `json:"text"`
		Blocks []slackSection `json:"blocks"`
		Links  bool           `json:"unfurl_links"`
		Media  bool           `json:"unfurl_media"`
	}{text, slackBlocks(text), false, false})
}

// slackBlocks puts as many lines into each block as it takes.
func slackBlocks(text string) []slackSection {
	var all []string
	for _, line := range strings.Split(text, "\n") {
		line = clip(line, slackBlock)
		if n := len(all) - 1; n >= 0 && len(all[n])+1+len(line) <= slackBlock {
			all[n] += "\n" + line
			continue
		}
		all = append(all, line)
	}
	var blocks []slackSection
	for _, text := range all {
		blocks = append(blocks, slackSection{"section", slackMark{"mrkdwn", text, true}})
	}
	return blocks
}
