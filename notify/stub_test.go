package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// stub is a service as its documentation describes it: it takes a message only with the right signature, of this hour, and says no with a 200.
type stub struct {
	*httptest.Server
	to, secret string
	mu         sync.Mutex
	bodies     []string
}

func newStub(t *testing.T, to, secret string) *stub {
	s := &stub{to: to, secret: secret}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// mac is written anew here, so that a mistake in signature shows.
func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(h, text)
	return h.Sum(nil)
}

// recent says whether a timestamp of so many units a second is of this hour.
func recent(stamp string, unit time.Duration) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	age := time.Since(time.Unix(0, n*int64(unit)))
	return err == nil && age > -time.Hour && age < time.Hour
}

func (s *stub) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var got map[string]any
	bad := json.Unmarshal(body, &got) != nil || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(body))
	yes := false
	switch s.to {
	case DingTalk:
		q := r.URL.Query()
		want := base64.StdEncoding.EncodeToString(mac(s.secret, q.Get("timestamp")+"\n"+s.secret))
		yes = q.Get("sign") == want && recent(q.Get("timestamp"), time.Millisecond) && q.Get("access_token") == "t0ken-t0ken" && got["msgtype"] == "markdown"
		answers(w, yes && !bad, `{"errcode":0,"errmsg":"ok"}`, `{"errcode":310000,"errmsg":"sign not match"}`)
	case Feishu:
		stamp, _ := got["timestamp"].(string)
		want := base64.StdEncoding.EncodeToString(mac(stamp+"\n"+s.secret, ""))
		yes = got["sign"] == want && recent(stamp, time.Second) && got["msg_type"] == "interactive"
		answers(w, yes && !bad, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, `{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}`)
	case WeCom:
		yes = r.URL.Query().Get("access_token") == "t0ken-t0ken" && got["msgtype"] == "markdown"
		answers(w, yes && !bad, `{"errcode":0,"errmsg":"ok"}`, `{"errcode":93000,"errmsg":"invalid webhook url"}`)
	case Slack:
		text, _ := got["text"].(string)
		answers(w, text != "" && !bad, "ok", "invalid_payload")
	case Webhook:
		stamp := r.Header.Get("X-Rollout-Timestamp")
		want := "sha256=" + hex.EncodeToString(mac(s.secret, stamp+"."+string(body)))
		if got["schema"] != "rollout.notification/v1" || bad || !hmac.Equal([]byte(want), []byte(r.Header.Get("X-Rollout-Signature"))) || !recent(stamp, time.Second) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func answers(w io.Writer, ok bool, yes, no string) {
	if !ok {
		yes = no
	}
	_, _ = fmt.Fprint(w, yes)
}

// at gives the receiver of the stub that signs with a key.
func (s *stub) at(key string) Receiver {
	return Receiver{To: s.to, URL: Secret(s.URL + "/robot/send?access_token=t0ken-t0ken"), Secret: Secret(key)}
}

func TestEveryServiceTakesWhatIsSignedAsItSays(t *testing.T) {
	for _, to := range []string{DingTalk, Feishu, WeCom, Slack, Webhook} {
		for _, lang := range []string{"en", "zh-CN"} {
			t.Run(to+" "+lang, func(t *testing.T) {
				s := newStub(t, to, "SECkey")
				if said, err := NewSender(nil).Send(t.Context(), s.at("SECkey"), news(lang)); err != nil || said == "" {
					t.Fatalf("got %q, %v, want it taken", said, err)
				}
				if want := news(lang).Lines[0].Text; len(s.bodies) != 1 || !strings.Contains(s.bodies[0], want) {
					t.Errorf("got %q, want one that says %q", s.bodies, want)
				}
			})
		}
	}
}

func TestAWrongKeyIsToldAndNotRepeated(t *testing.T) {
	for _, to := range []string{DingTalk, Feishu, Webhook} {
		for _, key := range []string{"another", ""} {
			s := newStub(t, to, "SECkey")
			_, err := NewSender(nil).Send(t.Context(), s.at(key), news("en"))
			no, ok := err.(*RefusedError)
			if !ok || !no.Denied || len(s.bodies) != 1 {
				t.Errorf("%s with key %q: got %v after %d requests, want it refused after one", to, key, err, len(s.bodies))
			}
		}
	}
}
