package ulb_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

const (
	publicKey  = "public-key-of-a-test"
	privateKey = "canary-private-key"
	token      = "canary/security+token="
)

// object is a JSON object.
type object = map[string]any

// reply answers one request; nth counts from 1 for each action.
type reply func(w http.ResponseWriter, form url.Values, nth int)

// cloud is a UCloud that says what the test tells it to, counts, and checks every signature.
type cloud struct {
	*httptest.Server
	t       *testing.T
	replies map[string]reply
	mu      sync.Mutex
	calls   map[string][]url.Values
}

func newCloud(t *testing.T, replies map[string]reply) *cloud {
	c := &cloud{t: t, replies: replies, calls: map[string][]url.Values{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		c.t.Errorf("form: %v", err)
	}
	form := r.PostForm
	action := form.Get("Action")
	if got := sign(form, privateKey); got != form.Get("Signature") {
		c.t.Errorf("%s: signature %s, want %s", action, form.Get("Signature"), got)
	}
	c.mu.Lock()
	c.calls[action] = append(c.calls[action], form)
	nth, answer := len(c.calls[action]), c.replies[action]
	c.mu.Unlock()
	if answer == nil {
		c.t.Errorf("%s was asked for, which this test does not expect", action)
		return
	}
	answer(w, form, nth)
}

func (c *cloud) asked(action string) []url.Values {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls[action])
}

// sign is UCloud's published algorithm, written down anew: sorted names and values, the private key, SHA-1.
func sign(form url.Values, private string) string {
	var names []string
	for name := range form {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all strings.Builder
	for _, name := range names {
		all.WriteString(name + form.Get(name))
	}
	sum := sha1.Sum([]byte(all.String() + private))
	return hex.EncodeToString(sum[:])
}

// config is one that talks to the cloud, in milliseconds.
func (c *cloud) config(id string) ulb.Config {
	return ulb.Config{
		ID: id, Attempts: 3, Wait: time.Millisecond, PerAttempt: 5 * time.Second, Overall: 20 * time.Second,
		Settings: ulb.Settings{
			Credentials: ulb.Credentials{PublicKey: publicKey, PrivateKey: privateKey, Token: token},
			Region:      "cn-bj2", ProjectID: "org-test", BaseURL: c.URL,
		},
	}
}

func balancer(t *testing.T, c ulb.Config) *ulb.Balancer {
	t.Helper()
	b, err := ulb.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ok answers RetCode 0 with these fields.
func ok(fields object) reply {
	return func(w http.ResponseWriter, form url.Values, _ int) { write(w, form, 0, fields) }
}

// refuse answers a RetCode.
func refuse(code any) reply {
	return func(w http.ResponseWriter, form url.Values, _ int) { write(w, form, code, object{"Message": "不行"}) }
}

func write(w http.ResponseWriter, form url.Values, code any, fields object) {
	all := object{"RetCode": code, "Action": form.Get("Action") + "Response"}
	for k, v := range fields {
		all[k] = v
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(all)
}

// raw answers a status and a body; %s in it is the action's name in answers.
func raw(status int, body string) reply {
	return func(w http.ResponseWriter, form url.Values, _ int) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(strings.ReplaceAll(body, "%s", form.Get("Action")+"Response")))
	}
}

// cut ends the connection after so much of an answer: with a reset, or with a plain end.
func cut(text string, reset bool) reply {
	return func(w http.ResponseWriter, _ url.Values, _ int) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = out.WriteString(text)
		_ = out.Flush()
		if tcp, is := conn.(*net.TCPConn); is && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// hang answers nothing until the test ends.
func hang(t *testing.T) reply {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	return func(http.ResponseWriter, url.Values, int) { <-end }
}

// first answers one way n times, and another way from then on.
func first(n int, one, then reply) reply {
	return func(w http.ResponseWriter, form url.Values, nth int) {
		if nth <= n {
			one(w, form, nth)
			return
		}
		then(w, form, nth)
	}
}

// vserver is a listener of CLB with n enabled, healthy backends of weight 5.
func vserver(name, method string, n int) object {
	var set []object
	for i := range n {
		set = append(set, object{
			"BackendId": fmt.Sprintf("backend-%s-%d", name, i), "ResourceId": fmt.Sprintf("uhost-%d", i), "PrivateIP": fmt.Sprintf("10.9.%d.%d", i/250, i%250),
			"Port": 6150, "Enabled": 1, "Status": 0, "Weight": 5, "IsBackup": 0, "ResourceType": "UHost",
		})
	}
	return object{
		"ULBId": "ulb-1", "VServerId": "vserver-" + name, "VServerName": name, "Protocol": "TCP", "ListenType": "RequestProxy",
		"Method": method, "FrontendPort": 6150, "ClientTimeout": 60, "PersistenceType": "None", "BackendSet": set,
	}
}

// found is DescribeULB's answer.
var found = ok(object{"TotalCount": 1, "DataSet": []object{{"ULBId": "ulb-1", "Name": "gates"}}})

// listed is DescribeVServer's answer.
func listed(sets ...object) reply { return ok(object{"TotalCount": len(sets), "DataSet": sets}) }

// reading answers a healthy balancer of these listeners.
func reading(sets ...object) map[string]reply {
	return map[string]reply{"DescribeULB": found, "DescribeVServer": listed(sets...)}
}
