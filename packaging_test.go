package rollout_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// release is what these tests read of .goreleaser.yaml.
type release struct {
	Before struct{ Hooks []string }
	Builds []struct {
		Main                           string
		Env, Flags, Ldflags            []string
		Goos, Goarch, Goamd64, Goarm64 []string
	}
	Archives []struct{ Files []struct{ Src string } }
	Nfpms    []struct {
		Formats  []string
		Contents []struct{ Src, Dst, Packager string }
	}
}

func readRelease(t *testing.T) release {
	t.Helper()
	b, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r release
	if err := yaml.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Builds) != 1 || len(r.Archives) != 1 || len(r.Nfpms) != 1 {
		t.Fatalf("%d builds, %d archives, %d kinds of package; these tests know one of each", len(r.Builds), len(r.Archives), len(r.Nfpms))
	}
	return r
}

func TestAReleaseIsForSixKindsOfMachine(t *testing.T) {
	b := readRelease(t).Builds[0]
	var got []string
	for _, system := range b.Goos {
		for _, arch := range b.Goarch {
			got = append(got, system+"/"+arch)
		}
	}
	want := []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestWhatAReleaseNamesIsThere: a file that was moved would be noticed on the day of the release otherwise. What the hook makes is held to what
// the hook says it makes.
func TestWhatAReleaseNamesIsThere(t *testing.T) {
	r := readRelease(t)
	named := slices.Concat(r.Before.Hooks, []string{r.Builds[0].Main})
	for _, f := range r.Archives[0].Files {
		named = append(named, f.Src)
	}
	for _, c := range r.Nfpms[0].Contents {
		named = append(named, c.Src)
	}
	for _, name := range named {
		if made, ok := strings.CutPrefix(name, "packaging/out/"); ok {
			if !slices.Contains([]string{"man/*.gz", "completions/*", "completions/rollout.bash", "completions/rollout.zsh", "completions/rollout.fish"}, made) {
				t.Errorf("%s is made by nothing", name)
			}
			continue
		}
		if found, err := filepath.Glob(name); err != nil || len(found) == 0 {
			t.Errorf("%s is not there (%v)", name, err)
		}
	}
}

// TestPackagesPutCompletionsAndPagesWhereTheyAreFound: each format has all of these, and at its own place for zsh.
func TestPackagesPutCompletionsAndPagesWhereTheyAreFound(t *testing.T) {
	p := readRelease(t).Nfpms[0]
	zsh := map[string]string{"deb": "/usr/share/zsh/vendor-completions/_rollout", "rpm": "/usr/share/zsh/site-functions/_rollout"}
	if want := []string{"deb", "rpm"}; !slices.Equal(p.Formats, want) {
		t.Errorf("got %v, want %v", p.Formats, want)
	}
	for format, place := range zsh {
		var got []string
		for _, c := range p.Contents {
			if c.Packager == "" || c.Packager == format {
				got = append(got, c.Dst)
			}
		}
		for _, want := range []string{place, "/usr/share/bash-completion/completions/rollout", "/usr/share/fish/vendor_completions.d/rollout.fish", "/usr/share/man/man1/"} {
			if !slices.Contains(got, want) {
				t.Errorf("%s has no %s", format, want)
			}
		}
	}
}

// TestAReleaseIsBuiltAsTheScriptBuilds holds the two places that say how to each other: who rebuilds a release uses packaging/build.sh.
func TestAReleaseIsBuiltAsTheScriptBuilds(t *testing.T) {
	b := readRelease(t).Builds[0]
	script, err := os.ReadFile("packaging/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	told := strings.NewReplacer("{{ .Version }}", "$version", "{{ .FullCommit }}", "$commit").Replace(strings.Join(b.Ldflags, " "))
	want := "go build " + strings.Join(b.Flags, " ") + ` -ldflags "` + told + `" -o "$out" ` + b.Main + "\n"
	if !strings.Contains(string(script), want) {
		t.Errorf("packaging/build.sh does not have the line of .goreleaser.yaml:\n%s", want)
	}
	for _, set := range slices.Concat(b.Env, []string{"GOAMD64=" + strings.Join(b.Goamd64, " "), "GOARM64=" + strings.Join(b.Goarm64, " ")}) {
		if !regexp.MustCompile(`(?m)^export .*\b` + regexp.QuoteMeta(set) + `( |$)`).Match(script) {
			t.Errorf("packaging/build.sh does not set %s", set)
		}
	}
	linked := regexp.MustCompile(`-X main\.(\w+)=`).FindAllStringSubmatch(told, -1)
	source, err := os.ReadFile("cmd/rollout/version.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range linked {
		if !regexp.MustCompile(`(?m)^\t` + l[1] + ` += "`).Match(source) {
			t.Errorf("cmd/rollout/version.go has no variable %s to link to", l[1])
		}
	}
	if len(linked) != 2 {
		t.Errorf("%d values are linked in, want the version and the commit", len(linked))
	}
}
