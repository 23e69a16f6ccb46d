package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// chat is a chat service that says yes under /ok, no with a 200 under /no, and something else anywhere else; it keeps what it was told.
func chat(t *testing.T) (address string, told func() string) {
	var mu sync.Mutex
	var all strings.Builder
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		all.Write(b)
		mu.Unlock()
		switch r.URL.Path {
		case "/ok":
			_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
		case "/no":
			_, _ = io.WriteString(w, `{"errcode":310000,"errmsg":"sign not match for t0ken-t0ken"}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "what?\x1b[2J")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

// with writes rollout.yaml with some receivers.
func (d *desk) with(receivers ...string) *desk {
	text := goodFile + "notify:\n"
	for _, r := range receivers {
		text += "  - " + r + "\n"
	}
	d.write(d.file, text)
	return d
}

func TestATestTellsEveryReceiverAndSaysWhatItAnswered(t *testing.T) {
	address, told := chat(t)
	host := strings.TrimPrefix(address, "http://")
	receiver := func(to, path, more string) string {
		return fmt.Sprintf(`{to: %s, url: "%s%s?access_token=t0ken-t0ken"%s}`, to, address, path, more)
	}
	d := newDesk(t).with(receiver("dingtalk", "/ok", ", secret: SECkey, on: [finished]"), receiver("wecom", "/ok", ", lang: zh-CN"), receiver("dingtalk", "/no", ""), receiver("slack", "/what", ""))
	for _, row := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"--to", "1"}, 0, "1  dingtalk  HOST  took it: errcode 0\n"},
		{[]string{"--to", "wecom"}, 0, "2  wecom     HOST  took it: errcode 0\n"},
		{[]string{"--to", "3"}, 4, "3  dingtalk  HOST  DID NOT TAKE IT: it answers errcode 310000: sign not match for [secret]\n"},
		{[]string{"--to", "slack"}, 1, "4  slack     HOST  DID NOT TAKE IT: it answers HTTP 400 Bad Request: what?\n"},
		{[]string{"--to", "dingtalk"}, 4, "1  dingtalk  HOST  took it: errcode 0\n3  dingtalk  HOST  DID NOT TAKE IT: it answers errcode 310000: sign not match for [secret]\n"},
	} {
		code, out, errs := d.types(append([]string{"notify", "test"}, row.args...)...)
		if out = strings.ReplaceAll(out, host, "HOST"); code != row.code || out != row.out || errs != "" {
			t.Errorf("%v: got exit %d\n%s%s\nwant exit %d\n%s", row.args, code, out, errs, row.code, row.out)
		}
	}
	for _, text := range []string{"rollout game: a test", "rollout game: 测试", "no rollout has begun"} {
		if !strings.Contains(told(), text) {
			t.Errorf("nobody was told %q in %s", text, told())
		}
	}
	d.untouched()
}

func TestATestIsADocumentForPrograms(t *testing.T) {
	address, _ := chat(t)
	d := newDesk(t).with(`{to: wecom, url: "`+address+`/ok"}`, `{to: wecom, url: "`+address+`/no", lang: zh-CN}`)
	code, out, errs := d.types("notify", "test", "-o", "json")
	var got notifyDoc
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || errs != "" {
		t.Fatalf("got exit %d, %v\n%s%s", code, err, out, errs)
	}
	host := strings.TrimPrefix(address, "http://")
	want := fmt.Sprint(notifyDoc{"rollout.notify/v1", "game", []receiverDoc{
		{1, "wecom", host, "en", true, "errcode 0", ""}, {2, "wecom", host, "zh-CN", false, "", "it answers errcode 310000: sign not match for t0ken-t0ken"},
	}})
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestATestOfNobodyIsAMistake(t *testing.T) {
	d := newDesk(t)
	d.wants(2, "rollout: rollout.yaml has no notify:, so nobody is told; docs/notifications.md shows how\n", "notify", "test")
	d.with(`{to: slack, url: "http://127.0.0.1:1/"}`)
	d.wants(2, "rollout: --to \"2\" is none of the 1 receivers of rollout.yaml: it is a number from 1, or a kind such as slack\n", "notify", "test", "--to", "2")
}
