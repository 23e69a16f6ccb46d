package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestAnAnswerIsAYesOnlyWhereTheServiceSaysSo(t *testing.T) {
	for _, row := range []struct {
		name, to string
		status   int
		body     string
		want     string // part of the error; empty: it was taken
		denied   bool
	}{
		{"dingtalk ok", DingTalk, 200, `{"errcode":0,"errmsg":"ok"}`, "", false},
		{"dingtalk signature", DingTalk, 200, `{"errcode":310000,"errmsg":"sign not match"}`, "errcode 310000: sign not match", true},
		{"dingtalk too fast", DingTalk, 200, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, "errcode 130101: send too fast", false},
		{"dingtalk code as text", DingTalk, 200, `{"errcode":"310000","errmsg":"x"}`, "errcode 310000", true},
		{"dingtalk empty", DingTalk, 200, ``, "HTTP 200 without errcode", false},
		{"dingtalk a page", DingTalk, 200, `<html>log in</html>`, "without errcode: <html>", false},
		{"dingtalk null", DingTalk, 200, `null`, "without errcode", false},
		{"dingtalk proxy", DingTalk, 502, `bad gateway`, "HTTP 502 Bad Gateway: bad gateway", false},
		{"dingtalk 0 and 500", DingTalk, 500, `{"errcode":0}`, "HTTP 500", false},
		{"wecom ok", WeCom, 200, `{"errcode":0,"errmsg":"ok"}`, "", false},
		{"wecom no such robot", WeCom, 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`, "errcode 93000: invalid webhook url", true},
		{"wecom too fast", WeCom, 200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, "errcode 45009", false},
		{"feishu ok", Feishu, 200, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, "", false},
		{"feishu old ok", Feishu, 200, `{"Extra":null,"StatusCode":0,"StatusMessage":"success"}`, "", false},
		{"feishu signature", Feishu, 200, `{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}`, "code 19021: sign match fail", true},
		{"feishu bad request", Feishu, 400, `{"code":9499,"msg":"Bad Request","data":{}}`, "code 9499: Bad Request", false},
		{"feishu old no", Feishu, 200, `{"StatusCode":3,"StatusMessage":"no"}`, "StatusCode 3: no", false},
		{"feishu both", Feishu, 200, `{"StatusCode":0,"code":11232,"msg":"frequency limited"}`, "code 11232", false},
		{"slack ok", Slack, 200, "ok", "", false},
		{"slack no", Slack, 200, "invalid_payload", "HTTP 200 OK: invalid_payload", false},
		{"slack gone", Slack, 404, "no_service", "HTTP 404 Not Found: no_service", true},
		{"slack token", Slack, 403, "invalid_token", "HTTP 403 Forbidden: invalid_token", true},
		{"webhook ok", Webhook, 204, "", "", false},
		{"webhook no", Webhook, 401, "who are you", "HTTP 401 Unauthorized: who are you", true},
		{"webhook nobody knows", Webhook, 799, "", "it answers HTTP 799", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			said, err := Receiver{To: row.to}.taken(answer{row.status, []byte(row.body)})
			if row.want == "" {
				if err != nil || said == "" {
					t.Errorf("got %q, %v, want it taken", said, err)
				}
				return
			}
			no, ok := errors.AsType[*RefusedError](err)
			if !ok || !strings.Contains(err.Error(), row.want) || no.Denied != row.denied {
				t.Errorf("got %v (denied %v), want %q (denied %v)", err, ok && no.Denied, row.want, row.denied)
			}
		})
	}
}

func TestOnlyHTTPSLeavesThisMachine(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://oapi.dingtalk.com/robot/send?access_token=x": true, "http://127.0.0.1:8080/x": true, "http://[::1]:8080/x": true, "http://localhost/x": true,
		"http://oapi.dingtalk.com/robot/send": false, "ftp://127.0.0.1/x": false, "https://user:passw0rd@chat.example/x": false, "https://user@chat.example/x": false, "http://:passw0rd@127.0.0.1/x": false, "": false, "https://": false, "http://10.9.0.1/": false, "https://a b/": false, "http://127.0.0.1.evil.example/": false,
	} {
		_, err := Receiver{To: Webhook, URL: Secret(address)}.post(news("en"), afternoon)
		if (err == nil) != ok {
			t.Errorf("%s: got %v, want ok %v", address, err, ok)
		}
		if err != nil && address != "" && strings.Contains(err.Error(), address) {
			t.Errorf("the address is in: %v", err)
		}
	}
}

func TestNoPartOfAnAddressThatIsASecretIsShown(t *testing.T) {
	r := Receiver{To: DingTalk, URL: "https://chat.example/hooks/T0KENT0KEN/in?access_token=s%2Fcret+value&x=1", Secret: "k3y"}
	for _, said := range []string{
		string(r.URL), "/hooks/T0KENT0KEN/in", "T0KENT0KEN", "access_token=s%2Fcret+value", "s/cret value", "s%2Fcret+value", "k3y", "c2lnbg==long", "c2lnbg%3D%3Dlong",
	} {
		if got := r.mask("it said "+said+" to me", "c2lnbg==long"); !strings.Contains(got, "[secret]") || strings.Contains(got, said) {
			t.Errorf("%q becomes %q", said, got)
		}
	}
	if got := r.mask("the hooks of chat.example took 1 of it"); got != "the hooks of chat.example took 1 of it" {
		t.Errorf("an ordinary sentence becomes %q", got)
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	r := Receiver{To: Slack, URL: "https://chat.example/t0ken", Secret: "t0ken"}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out := string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %d", r, r, r, r.Secret, r.URL, r.URL, r.URL) + r.URL.LogValue().String() + fmt.Sprint(slog.Any("r", r))
	if strings.Contains(out, "t0ken") || strings.Contains(out, "74306b656e") || !strings.Contains(out, "[secret]") {
		t.Errorf("got %s", out)
	}
	if Secret("").String() != "" || r.Host() != "chat.example" {
		t.Errorf("got %q and %q", Secret("").String(), r.Host())
	}
}
