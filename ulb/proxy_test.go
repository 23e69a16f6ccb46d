package ulb

import (
	"net/http"
	"os"
	"os/exec"
	"testing"
)

func TestPlainHTTPGoesThroughNoProxy(t *testing.T) {
	const child, via = "ROLLOUT_ULB_TEST_PROXY", "http://127.0.0.1:1"
	if os.Getenv(child) == "" { // the proxies of the environment are read once in a process, so this takes one of its own
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), self, "-test.run=^TestPlainHTTPGoesThroughNoProxy$")
		c.Env = append(os.Environ(), child+"=1", "HTTP_PROXY="+via, "HTTPS_PROXY="+via, "NO_PROXY=", "no_proxy=", "http_proxy=", "https_proxy=", "REQUEST_METHOD=")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	for base, want := range map[string]string{"http://" + vpcHost: "", publicURL: via} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		u, err := transport(1).Proxy(r)
		if u != nil {
			got = u.String()
		}
		if got != want || err != nil {
			t.Errorf("%s goes through %q, %v, want %q", base, got, err, want)
		}
	}
}
