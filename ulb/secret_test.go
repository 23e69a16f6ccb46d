package ulb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestASecretIsNeverShown(t *testing.T) {
	s := ulb.Secret("canary")
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T"} {
		fmt.Fprintf(&all, verb+verb+verb+"\n", s, &s, struct{ S ulb.Secret }{s})
	}
	if err := json.NewEncoder(&all).Encode(map[string]ulb.Secret{"s": s}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&all, nil)).Info("x", "s", s)
	slog.New(slog.NewTextHandler(&all, nil)).Info("x", "s", s)
	if got := all.String(); strings.Contains(got, "canary") || strings.Contains(got, "63616e617279") || !strings.Contains(got, "[secret]") {
		t.Errorf("got %s", got)
	}
	if string(s) != "canary" {
		t.Error("a secret nobody can use")
	}
}

// echo answers with all the server was sent: a proxy's error page, or a clumsy message.
func echo(status int, asMessage bool) reply {
	return func(w http.ResponseWriter, form url.Values, nth int) {
		if asMessage {
			text := form.Get("SecurityToken") + " " + form.Get("Signature") + "\n\x1b[31m " + form.Encode()
			write(w, form, 299, object{"Message": text})
			return
		}
		w.Header().Set("Location", "http://127.0.0.1:1/?"+form.Encode())
		raw(status, form.Encode())(w, form, nth)
	}
}

func TestNeitherKeysNorSignaturesLeaveThePackage(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var signatures []string
	for _, fault := range []reply{
		echo(200, true), echo(200, false), echo(302, false), echo(400, false), echo(500, false), refuse(171), refuse(4093), raw(200, "null"),
		cut("", true), cut("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", false), found,
	} {
		c := newCloud(t, map[string]reply{"DescribeULB": fault, "DescribeVServer": fault, "UpdateBackendAttribute": fault})
		config := c.config("ulb-1")
		b, err := ulb.New(config, log)
		if err != nil {
			t.Fatal(err)
		}
		reading, err := b.Read(t.Context())
		out := b.Write(t.Context(), []ulb.Change{{Backend: ulb.Backend{ID: "b-1"}}})
		for _, v := range []any{config, &config, b, config.Settings, reading, err, out, out[0].Err} {
			fmt.Fprintf(&said, "%v\n%+v\n%#v\n%s\n", v, v, v, v)
			log.Info("value", "v", v)
			if js, err := json.Marshal(v); err == nil {
				said.Write(js)
			}
		}
		for _, action := range []string{"DescribeULB", "UpdateBackendAttribute"} {
			for _, form := range c.asked(action) {
				signatures = append(signatures, form.Get("Signature"))
			}
		}
	}
	if len(signatures) < 20 || !strings.Contains(said.String(), "[secret]") {
		t.Fatalf("%d requests: the test proves nothing", len(signatures))
	}
	for _, secret := range append(signatures, privateKey, token, url.QueryEscape(token)) {
		if at := strings.Index(said.String(), secret); at >= 0 {
			t.Errorf("%q is told: …%s", secret, said.String()[max(0, at-200):at])
		}
	}
	if strings.Contains(said.String(), "\x1b") {
		t.Error("a control character of an answer is passed on")
	}
}

// TestNothingIsPrinted runs the faults of the test above in a process of its own: loggers take hold of stdout and stderr
// when packages are initialised, so that they cannot be caught from within.
func TestNothingIsPrinted(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), self, "-test.run=^TestNeitherKeysNorSignaturesLeaveThePackage$").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if line != "PASS\n" && !strings.HasPrefix(line, "coverage:") {
			t.Errorf("printed: %s", line)
		}
	}
}
