//go:build e2e && linux

package e2e

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// The secrets of the canary. The private key that works is the sandbox's own.
const (
	workingKey = "sandbox-private-key"
	wrongKey   = "canary/wrong+private=key-5d1f"
	passphrase = "canary passphrase 8c2e"
	adminWord  = "canary-admin-password-77b0"
	hookToken  = "canary-token-e91a"
	hookSecret = "canary-hook-secret-40cd"
)

// canary runs commands in a world with marked secrets and keeps all that they print.
type canary struct {
	*world
	hay     *hay
	key     string // the encrypted ssh key
	mu      sync.Mutex
	printed []printed
}

// printed is what a command printed. It is searched at the end, since some secrets come up on the way.
type printed struct{ by, text string }

// keep keeps what a command printed.
func (c *canary) keep(args []string, o output) output {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.printed = append(c.printed, printed{strings.Join(args, " "), o.stdout + o.stderr})
	return o
}

// sings runs a command on a terminal that knows the passphrase, and demands its exit code.
func (c *canary) sings(code int, args ...string) output {
	c.t.Helper()
	o := c.keep(args, onTerminal(c.t.(*testing.T), c.command(args...), "Passphrase of", passphrase))
	if o.code != code {
		c.t.Fatalf("rollout %s: want exit %d, got %s", strings.Join(args, " "), code, o)
	}
	return o
}

// begins starts a command in the background, on a terminal.
func (c *canary) begins(args ...string) (*exec.Cmd, func() output) {
	cmd, ended := c.command(args...), make(chan output, 1)
	go func() { ended <- onTerminal(c.t.(*testing.T), cmd, "Passphrase of", passphrase) }()
	return cmd, func() output { return c.keep(args, <-ended) }
}

// edit changes the world's rollout.yaml and gives the way back.
func (c *canary) edit(from, to string) (back func()) {
	c.t.Helper()
	path := filepath.Join(c.dir, "rollout.yaml")
	was, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if !bytes.Contains(was, []byte(from)) {
		c.t.Fatalf("rollout.yaml has no %q", from)
	}
	if err := os.WriteFile(path, bytes.Replace(was, []byte(from), []byte(to), 1), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(path, was, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
}

// lock encrypts the key that the world has for its machines.
func (c *canary) lock() {
	c.t.Helper()
	c.key = filepath.Join(c.dir, "keys", "client")
	text, err := os.ReadFile(c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	plain, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		c.t.Fatal(err)
	}
	if seed, ok := plain.(*ed25519.PrivateKey); ok {
		c.hay.needles = append(c.hay.needles, needles("the ssh key", string(seed.Seed()))...)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(plain, "canary", []byte(passphrase))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.key, pem.EncodeToMemory(block), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// parrot is an API that says back all it is told, in every way that it can, and keeps the signatures.
func parrot(t *testing.T, signed *[]string) *httptest.Server {
	var mu sync.Mutex
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		n++
		way := n % 4
		*signed = append(*signed, r.Form.Get("Signature"))
		mu.Unlock()
		switch way {
		case 0:
			w.Header().Set("Location", "/?"+r.Form.Encode())
			w.WriteHeader(http.StatusFound)
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			_ = json.NewEncoder(w).Encode(map[string]any{"RetCode": 4000, "Action": r.Form.Get("Action") + "Response", "Message": r.Form.Encode() + wrongKey})
			return
		}
		_, _ = w.Write([]byte(r.Form.Encode() + wrongKey))
	}))
	t.Cleanup(s.Close)
	return s
}

// gossip is a chat that refuses all it is told, and says it all back: the token, the key and the signature, which it keeps.
func (c *canary) gossip(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sign := r.URL.Query().Get("sign")
		c.hay.mu.Lock()
		c.hay.needles = append(c.hay.needles, needles("a signature", sign)...)
		c.hay.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.URL, r.URL.Query(), sign, hookSecret)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestNoSecretIsToldAnywhere(t *testing.T) {
	c := &canary{world: serve(t, "--machines", "1", "--ports", "1", "--players", "4", "--game", "1s", "--deadline", "40s"), hay: &hay{}}
	for of, secret := range map[string]string{"the private key": workingKey, "the wrong private key": wrongKey, "the passphrase": passphrase,
		"the password of the admin port": adminWord, "the token of the hook": hookToken, "the secret of the hook": hookSecret} {
		c.hay.needles = append(c.hay.needles, needles(of, secret)...)
	}
	c.env = []string{"CANARY_URL=" + c.gossip(t).URL + "/robot/send?access_token=" + hookToken, "CANARY_SECRET=" + hookSecret, "CANARY_ADMIN=" + adminWord, "SSH_AUTH_SOCK="}
	const control = "canary-control-1b7f"
	c.hay.needles = append(c.hay.needles, needle{"the control", "plain", control})
	c.lock()
	c.edit("state:", "notify: [{to: dingtalk, url: \"${CANARY_URL}\", secret: \"${CANARY_SECRET}\"}]\nstate:")
	unwatch := c.hay.watch(c.state)

	c.everyday()
	c.failures(t)
	c.ends(t)

	// What the search would have found: an argument, and a file that does hold a secret.
	shown := exec.Command("sleep", "1", "0."+strings.Repeat("0", 3))
	shown.Args[0] = control
	if err := shown.Run(); err != nil {
		t.Fatal(err)
	}
	looks := unwatch()
	plans, err := filepath.Glob(filepath.Join(c.state, "*.json"))
	if err != nil || len(plans) == 0 {
		t.Errorf("no plan file was searched: %v", err)
	}
	for _, p := range c.printed {
		c.hay.search("what "+p.by+" printed", []byte(p.text))
	}
	keys := filepath.Join(c.dir, "keys")
	c.hay.tree(t, c.dir, filepath.Join(keys, "credential.json"), filepath.Join(keys, "wrong.json"))
	c.hay.tree(t, c.state)
	found := 0
	for hit := range c.hay.hits {
		if strings.HasPrefix(hit, "the control") {
			found++
			continue
		}
		t.Errorf("%s", hit)
	}
	inFile := &hay{needles: c.hay.needles}
	inFile.tree(t, keys)
	if len(inFile.hits) < 2 || found == 0 {
		t.Errorf("the search finds %d secrets in the files that hold two, and the control %d times: it proves nothing", len(inFile.hits), found)
	}
	t.Logf("searched %d bytes in %d places (%d commands; the arguments of all processes and the state directory, %d times) for %d needles: %d hits; control found",
		c.hay.bytes, c.hay.places, len(c.printed), looks, len(c.hay.needles), len(c.hay.hits)-found)
}

// everyday runs every command to a good end, in every format.
func (c *canary) everyday() {
	for _, o := range []string{"text", "json", "yaml", "jsonl"} {
		c.sings(0, "check", "-v", "-o", o)
		c.sings(0, "plan", "-v", "-o", o, "--out", filepath.Join(c.state, "plan-"+o+".json"))
		for _, args := range [][]string{{"status"}, {"history"}, {"lock", "status"}, {"version"}, {"schema"}, {"check", "--offline"}} {
			c.sings(0, append(args, "-v", "-o", o)...)
		}
	}
	_, end := c.begins("start", "--yes", "-v", "-o", "jsonl", "--plan", filepath.Join(c.state, "plan-text.json"))
	c.until("a drain", func(s status) bool { return s.Phase == "running" && s.Step.Kind == "drain" })
	c.sings(0, "lock", "status", "-o", "json")
	c.sings(5, "start", "--yes", "-v")
	c.sings(0, "pause", "-v")
	if o := end(); o.code != 6 {
		c.t.Fatalf("a paused run: want exit 6, got %s", o)
	}
	c.sings(0, "resume", "-v", "-o", "json")
	c.sings(1, "notify", "test", "-v")
	c.sings(1, "notify", "test", "-o", "json")
	for _, o := range []string{"text", "json", "yaml"} {
		c.sings(0, "status", "-o", o)
		c.sings(0, "history", "-o", o)
	}
}

// failures lets everything go wrong that can before a run.
func (c *canary) failures(t *testing.T) {
	wrong, err := json.Marshal([]map[string]string{{"public_key": "sandbox-public-key", "private_key": wrongKey, "profile": "sandbox"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "keys", "wrong.json"), wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	back := c.edit("keys/credential.json", "keys/wrong.json")
	c.sings(4, "start", "--yes", "-v")
	c.sings(4, "check", "-v", "-o", "json")
	var signed []string
	echo := parrot(t, &signed)
	for range 4 { // each begins with another answer
		c.sings(3, "check", "-v", "--base-url", echo.URL)
		c.sings(3, "start", "--yes", "-v", "-o", "json", "--base-url", echo.URL)
	}
	if len(signed) < 8 {
		t.Errorf("the API that says everything back was asked %d times", len(signed))
	}
	slices.Sort(signed)
	for _, s := range slices.Compact(signed) {
		c.hay.needles = append(c.hay.needles, needle{"a signature", "plain", s})
	}
	back()

	args := []string{"check", "-v"} // with a passphrase that is none
	if o := c.keep(args, onTerminal(t, c.command(args...), "Passphrase of", "canary passphrase")); !strings.Contains(o.stdout, "wrong three times") {
		t.Errorf("got %s", o)
	}
	o := c.keep(args, c.alone(args...)) // and nobody to ask
	contains(t, o, "is encrypted, and nobody can be asked")

	back = c.edit("known_hosts: keys/known_hosts", "known_hosts: keys/none")
	c.sings(4, "start", "--yes", "-v")
	back()
	back = c.edit("port: 59622}", "port: 1}")
	c.sings(3, "start", "--yes", "-v")
	back()
	back = c.edit("notify:", "notyfi:")
	c.sings(2, "start", "--yes", "-v")
	back()
	back = c.edit("secret:", "secert:")
	c.sings(2, "check", "-v", "-o", "json")
	back()
	c.pomelo()
}

// pomelo gives the service a master whose password is marked, and that there is not.
func (c *canary) pomelo() {
	path := filepath.Join(c.dir, "rollout.yaml")
	was, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	var kept []string
	skip := false
	for line := range strings.Lines(string(was)) {
		if line[0] != ' ' && line[0] != '-' {
			skip = slices.Contains([]string{"command:\n", "drain:\n", "health:\n", "release:\n", "deploy:\n"}, line)
		}
		front := strings.HasPrefix(line, "  ask:") || strings.HasPrefix(line, "  probe:") || strings.HasPrefix(line, "  address:")
		if !skip && !front {
			line = strings.Replace(line, "- name: group", "- master: game-X\n  name: group", 1)
			kept = append(kept, line)
		}
	}
	text := strings.Join(kept, "") + "pomelo: {dir: /nowhere, admin: {user: admin, password: \"${CANARY_ADMIN}\"}}\n"
	text = strings.Replace(strings.Replace(text, "game-X", "game-2", 1), "game-X", "game-1", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.sings(0, "check", "--offline", "-v")
	c.sings(3, "check", "-v")
	c.sings(3, "start", "--yes", "-v", "-o", "json")
	c.sings(3, "status", "--processes", "-v")
	if err := os.WriteFile(path, was, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// ends lets runs end badly: a restart that fails, a kill, a stack dump.
func (c *canary) ends(t *testing.T) {
	c.plant("game-2", "start-fails", "once")
	c.sings(6, "start", "--yes", "-v", "--ref", "v1.1.0")
	c.sings(6, "status", "--exit-code")
	c.sings(0, "resume", "-v")
	c.sings(0, "rollback", "--yes", "-v", "--to", "v1.0.0")
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT} {
		cmd, end := c.begins("start", "--yes", "-v", "--ref", "v1.2.0")
		c.until("a drain", func(s status) bool { return s.Phase == "running" && s.Step.Kind == "drain" })
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		o := end()
		if dumped := strings.Contains(o.stderr, "goroutine "); dumped != (sig == syscall.SIGQUIT) {
			t.Errorf("%s: got %s", sig, o)
		}
		c.sings(6, "status", "--exit-code", "-v")
		c.sings(0, "abort", "--yes", "-v")
	}
}

// alone runs a command without a terminal.
func (c *canary) alone(args ...string) output {
	c.t.Helper()
	cmd := c.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return output{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
