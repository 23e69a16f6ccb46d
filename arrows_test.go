package rollout_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seed59ee9cdc/rollout"

// arrows says which packages of ours each package may import. A new package or arrow is a change to this table first, with the
// reason in docs/decisions/.
var arrows = map[string][]string{
	"groups":          {},
	"drain":           {},
	"ulb":             {},
	"remote":          {},
	"schema":          {},
	"schema/proof":    {"schema"},
	"plans":           {"groups"},
	"config":          {"groups"},
	"pomelo":          {"groups", "plans"},
	"steps":           {"plans", "drain"},
	"journal":         {"plans"},
	"view":            {"plans"},
	"notify":          {},
	"view/live":       {"plans", "view"},
	"view/web":        {"plans", "view"},
	"sandbox":         {"groups", "config", "sandbox/cloud", "sandbox/hosts", "sandbox/players"},
	"sandbox/cloud":   {},
	"sandbox/hosts":   {},
	"sandbox/players": {},
	"sandbox/haproxy": {"sandbox/cloud"},
	"sandbox/lan":     {},
	"sandbox/app":     {},
	"sandbox/rig":     {"config", "sandbox/app", "sandbox/cloud", "sandbox/haproxy", "sandbox/lan", "sandbox/players"},
	"tools/mutants":   {},
	"cmd/rollout":     nil, // may import all
}

// outside says which modules, besides the standard library, each package may import directly.
var outside = map[string][]string{
	"groups":          {},
	"drain":           {"github.com/hashicorp/go-retryablehttp"},
	"ulb":             {"github.com/ucloud/ucloud-sdk-go", "github.com/hashicorp/go-retryablehttp", "golang.org/x/sync"},
	"remote":          {"golang.org/x/crypto", "github.com/kevinburke/ssh_config", "github.com/skeema/knownhosts"},
	"schema":          {},
	"schema/proof":    {"github.com/santhosh-tekuri/jsonschema/v6"},
	"plans":           {},
	"config":          {"go.yaml.in/yaml/v4", "github.com/invopop/jsonschema"},
	"pomelo":          {"github.com/coder/websocket", "github.com/eclipse/paho.mqtt.golang"},
	"steps":           {},
	"journal":         {"github.com/gofrs/flock", "golang.org/x/sys"},
	"view":            {"github.com/charmbracelet/x/ansi"},
	"view/live":       {"charm.land/bubbletea/v2", "charm.land/lipgloss/v2"},
	"notify":          {"github.com/hashicorp/go-retryablehttp"},
	"view/web":        {"github.com/prometheus/client_golang"},
	"sandbox":         {"golang.org/x/crypto"},
	"sandbox/cloud":   {},
	"sandbox/hosts":   {"golang.org/x/crypto"},
	"sandbox/players": {"github.com/coder/websocket"},
	"sandbox/haproxy": {},
	"sandbox/lan":     {"golang.org/x/crypto", "golang.org/x/sys"},
	"sandbox/app":     {},
	"sandbox/rig":     {},
	"tools/mutants":   {},
	"cmd/rollout":     {"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sys", "golang.org/x/term", "go.yaml.in/yaml/v4"},
}

// listed is what `go list` says of one package.
type listed struct {
	ImportPath string
	Doc        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) map[string]listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if name, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok && len(p.GoFiles) > 0 {
			all[name] = p
		}
	}
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	for name, p := range packages(t) {
		allowed, ok := arrows[name]
		if !ok {
			t.Errorf("package %s is not in the table", name)
			continue
		}
		for _, imp := range p.Imports {
			ours, isOurs := strings.CutPrefix(imp, module+"/")
			switch {
			case isOurs && name != "cmd/rollout" && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s", name, ours)
			case !isOurs && strings.Contains(strings.Split(imp, "/")[0], ".") && !within(imp, outside[name]):
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
}

func TestTheTableNamesNoPackageThatIsGone(t *testing.T) {
	all := packages(t)
	for name := range arrows {
		if _, ok := all[name]; !ok {
			t.Errorf("the table names %s, which does not exist", name)
		}
	}
}

// within says whether an import path is of one of the modules.
func within(imp string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}
