package notify

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

var afternoon = time.Date(2025, 11, 22, 14, 31, 1, 0, time.UTC)

// news is a message as people get it, in each language.
func news(lang string) Message {
	m := Message{
		ID: "7f3a-212-held", Kind: "held", Level: Warn, Lang: lang, At: afternoon, Service: "game", Run: "7f3a", From: "v1.8.1", To: "v1.8.2", By: "liu@ci-31",
		Moved: 1284, Cut: 0, Next: []string{"rollout resume", "rollout rollback"},
		Title: "rollout game v1.8.1 → v1.8.2: held, safe; a person has to decide",
		Lines: []Line{
			{"What", "check group2: connector-13 (10.9.0.5:6204) is missing"},
			{"Traffic", "all new connections on group1 (v1.8.1): 24 backends on, healthy"},
			{"Next", "rollout resume or rollout rollback"},
			{"Run", "7f3a by liu@ci-31"},
		},
	}
	if lang == "zh-CN" {
		m.Title = "rollout game v1.8.1 → v1.8.2: 暂停并保持，流量安全；需要人来决定"
		m.Lines[0].Label, m.Lines[1].Label, m.Lines[2].Label, m.Lines[3].Label = "情况", "流量", "下一步", "运行"
	}
	return m
}

// TestABodyIsAsTheServiceWantsIt keeps every body in both languages as a file.
func TestABodyIsAsTheServiceWantsIt(t *testing.T) {
	for _, to := range []string{DingTalk, Feishu, WeCom, Slack, Webhook} {
		var all strings.Builder
		for _, lang := range []string{"en", "zh-CN"} {
			r := Receiver{To: to, URL: "https://chat.example/hook?access_token=t0ken", Secret: "SECkey"}
			p, err := r.post(news(lang), afternoon)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString("POST " + p.url.String() + "\n")
			for _, h := range []string{"Content-Type", headerID, headerTimestamp, headerSignature} {
				if v := p.header.Get(h); v != "" {
					all.WriteString(h + ": " + v + "\n")
				}
			}
			all.WriteString("\n" + string(p.body) + "\n\n")
		}
		file := filepath.Join("testdata", to+".golden")
		if *update {
			if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if all.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", to, all.String(), want)
		}
	}
}

// TestASignatureIsTheOneOfTheDocumentation compares with what the services' own examples in Python give for the same key and moment.
func TestASignatureIsTheOneOfTheDocumentation(t *testing.T) {
	for to, want := range map[string]string{
		DingTalk: "py1FC0tTbWSrwxWOTZbW04pfA2rDVlbvWCqzXnrHTzk=",
		Feishu:   "M/TYqDDCWNyWi+1aBZnhcjbTLox9WK40Qq5y+likIWg=",
		WeCom:    "",
		Slack:    "",
	} {
		p, err := Receiver{To: to, URL: "https://chat.example/hook", Secret: "SECkey"}.post(news("en"), afternoon)
		if err != nil || p.signed != want {
			t.Errorf("%s: got %q, %v, want %q", to, p.signed, err, want)
		}
	}
}

// TestNothingInAMessageIsActedOn puts marks of every service where a machine's words stand.
func TestNothingInAMessageIsActedOn(t *testing.T) {
	m := news("en")
	m.Title = "[x](https://evil.example) <@all>"
	m.Lines = []Line{{"*What*", "`rm` [click](https://evil.example) <at id=all></at> <!channel> <@U1> **bold** \\[x\\]\n# head & more"}}
	bare := map[string]string{DingTalk: "[]<>`\\", WeCom: "[]<>`\\", Slack: "<>"}
	for to, marks := range bare {
		p, err := Receiver{To: to, URL: "https://chat.example/hook"}.post(m, afternoon)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, key := range []string{`"text":"`, `"content":"`} {
			if _, rest, ok := strings.Cut(string(p.body), key); ok {
				text = strings.NewReplacer(`\n`, "", `\"`, "").Replace(rest[:strings.LastIndex(rest, `"`)])
			}
		}
		if !strings.Contains(text, "evil.example") || strings.ContainsAny(text, marks) {
			t.Errorf("%s: got %s", to, text)
		}
	}
	for _, b := range sections(t, m) {
		if b.Text.Type != "mrkdwn" || !b.Text.Verbatim {
			t.Errorf("slack: got %+v, want nothing in it made a link", b)
		}
	}
	p, err := Receiver{To: Feishu, URL: "https://chat.example/hook"}.post(m, afternoon)
	if err != nil || strings.Contains(string(p.body), "lark_md") || strings.Contains(string(p.body), `"markdown"`) || strings.Count(string(p.body), "plain_text") != 2 {
		t.Errorf("feishu: got %s, %v, want plain text only", p.body, err)
	}
}

// sections are the blocks of a message as Slack reads them.
func sections(t *testing.T, m Message) []slackSection {
	t.Helper()
	p, err := Receiver{To: Slack, URL: "https://chat.example/hook"}.post(m, afternoon)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Blocks []slackSection }
	if err := json.Unmarshal(p.body, &got); err != nil || len(got.Blocks) == 0 {
		t.Fatalf("got %s, %v, want blocks", p.body, err)
	}
	return got.Blocks
}

// TestNoBlockIsLongerThanSlackTakes takes the most that a message of a run holds, and more: Slack refuses the whole message for one block.
func TestNoBlockIsLongerThanSlackTakes(t *testing.T) {
	m := news("zh-CN")
	m.Lines = nil
	for range 8 {
		m.Lines = append(m.Lines, Line{"情况", strings.Repeat("排", 300)})
	}
	m.Lines = append(m.Lines, Line{"情况", strings.Repeat("&", 3000)})
	whole := ""
	for _, b := range sections(t, m) {
		if n := len([]rune(b.Text.Text)); n == 0 || n > 3000 {
			t.Errorf("a block has %d characters", n)
		}
		whole += b.Text.Text
	}
	if got := strings.Count(whole, "排"); got != 8*300 {
		t.Errorf("%d characters of the lines are told, want %d", got, 8*300)
	}
}

func TestALongMessageIsCutToWhatTheServiceTakes(t *testing.T) {
	m := news("zh-CN")
	for range 100 {
		m.Lines = append(m.Lines, Line{"情况", strings.Repeat("排空", 100)})
	}
	for to, most := range map[string]int{DingTalk: 20_000, WeCom: markdownBytes + 100, Feishu: 20_000, Slack: 40_000} {
		p, err := Receiver{To: to, URL: "https://chat.example/hook"}.post(m, afternoon)
		if err != nil || len(p.body) > most || !utf8.Valid(p.body) || !strings.Contains(string(p.body), "…") {
			t.Errorf("%s: got %d bytes, valid %v, %v, want at most %d", to, len(p.body), utf8.Valid(p.body), err, most)
		}
	}
}

func TestClipCutsBetweenCharacters(t *testing.T) {
	for _, row := range []struct {
		in   string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcdef", 5, "ab…"}, {"排空排空", 9, "排空…"}, {"排空排空", 10, "排空…"}, {"排空排空", 11, "排空…"}, {"排空排空", 12, "排空排空"}} {
		if got := clip(row.in, row.most); got != row.want {
			t.Errorf("clip(%q, %d) is %q, want %q", row.in, row.most, got, row.want)
		}
	}
}
