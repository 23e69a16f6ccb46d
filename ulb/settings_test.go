package ulb_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/ulb"
)

const (
	twoProfiles = `[{"profile":"default","active":true,"region":"cn-bj2","project_id":"org-default","base_url":"https://default.example","zone":"z","timeout_sec":15},
		{"profile":"other","active":false,"region":"cn-sh2","project_id":"org-other"}]`
	twoPairs = `[{"profile":"default","public_key":"pub-default","private_key":"canary-default","cookie":"","auth_mode":""},
		{"profile":"other","public_key":"pub-other","private_key":"canary-other"},
		{"profile":"browser","auth_mode":"oauth","access_token":"canary-oauth","refresh_token":"canary-refresh"}]`
)

// home makes a home directory with the two files; an empty one is left out.
func home(t *testing.T, config, credential string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".ucloud"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"config.json": config, "credential.json": credential} {
		if text == "" {
			continue
		}
		path := filepath.Join(dir, ".ucloud", name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ofAnother is a home whose keys somebody else has written; "" where that cannot be made.
func ofAnother(t *testing.T) string {
	t.Helper()
	dir := home(t, twoProfiles, twoPairs, 0o600)
	if os.Geteuid() != 0 {
		return ""
	}
	if err := os.Chown(filepath.Join(dir, ".ucloud", "credential.json"), 4242, -1); err != nil {
		t.Fatal(err)
	}
	return dir
}

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestSettingsComeFromTheFirstSourceThatHasThem(t *testing.T) {
	dir := home(t, twoProfiles, twoPairs, 0o600)
	keys := []string{"UCLOUD_PUBLIC_KEY", "pub-env\n", "UCLOUD_PRIVATE_KEY", " canary-env "}
	for _, row := range []struct {
		name                       string
		flags, file                ulb.Values
		env                        []string
		public, source             string
		region, project, base      string
		regionFrom, baseFrom, prof string
	}{
		{name: "active profile", public: "pub-default", source: "profile default in ~/.ucloud/credential.json",
			region: "cn-bj2", project: "org-default", base: "https://default.example",
			regionFrom: "profile default in ~/.ucloud/config.json", baseFrom: "profile default in ~/.ucloud/config.json", prof: "active in ~/.ucloud/config.json"},
		{name: "profile in rollout.yaml", file: ulb.Values{Profile: "other"}, public: "pub-other", source: "profile other in ~/.ucloud/credential.json",
			region: "cn-sh2", project: "org-other", base: "https://api.ucloud.cn",
			regionFrom: "profile other in ~/.ucloud/config.json", baseFrom: "built in", prof: "rollout.yaml"},
		{name: "profile in the environment before rollout.yaml", file: ulb.Values{Profile: "nope"}, env: []string{"UCLOUD_PROFILE", "other"}, public: "pub-other",
			source: "profile other in ~/.ucloud/credential.json", region: "cn-sh2", project: "org-other", base: "https://api.ucloud.cn",
			regionFrom: "profile other in ~/.ucloud/config.json", baseFrom: "built in", prof: "environment (UCLOUD_PROFILE)"},
		{name: "keys in the environment, and nothing of a profile nobody named", env: append(keys, "UCLOUD_REGION", "cn-gd"), public: "pub-env", source: "environment",
			region: "cn-gd", base: "https://api.ucloud.cn", regionFrom: "environment (UCLOUD_REGION)", baseFrom: "built in"},
		{name: "keys in the environment before a profile in rollout.yaml, which fills gaps", file: ulb.Values{Profile: "other"}, env: keys, public: "pub-env", source: "environment",
			region: "cn-sh2", project: "org-other", base: "https://api.ucloud.cn",
			regionFrom: "profile other in ~/.ucloud/config.json", baseFrom: "built in", prof: "rollout.yaml"},
		{name: "a profile on the command line before keys in the environment", flags: ulb.Values{Profile: "other"}, env: append(keys, "UCLOUD_SECURITY_TOKEN", "canary-token"),
			public: "pub-other", source: "profile other in ~/.ucloud/credential.json", region: "cn-sh2", project: "org-other", base: "https://api.ucloud.cn",
			regionFrom: "profile other in ~/.ucloud/config.json", baseFrom: "built in", prof: "command line"},
		{name: "each value on its own", flags: ulb.Values{Region: "r-flag"}, file: ulb.Values{Region: "r-file", ProjectID: "p-file", BaseURL: "https://file.example"},
			env: []string{"UCLOUD_REGION", "r-env", "UCLOUD_PROJECT_ID", "p-env"}, public: "pub-default", source: "profile default in ~/.ucloud/credential.json",
			region: "r-flag", project: "p-env", base: "https://file.example", regionFrom: "command line", baseFrom: "rollout.yaml", prof: "active in ~/.ucloud/config.json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := ulb.Load(ulb.Sources{Flags: row.flags, File: row.file, Env: env(row.env...), Home: dir})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{s.PublicKey, s.Source, s.Origin["keys"], s.Region, s.ProjectID, s.BaseURL, s.Origin["region"], s.Origin["base_url"], s.Origin["profile"], string(s.Token)}
			want := []string{row.public, row.source, row.source, row.region, row.project, row.base, row.regionFrom, row.baseFrom, row.prof, ""}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if private := strings.Replace(row.public, "pub", "canary", 1); string(s.PrivateKey) != private {
				t.Error("the private key is of another source than the public key")
			}
		})
	}
}

func TestATokenGoesWithItsPair(t *testing.T) {
	s, err := ulb.Load(ulb.Sources{Home: t.TempDir(), Env: env("UCLOUD_PUBLIC_KEY", "a", "UCLOUD_PRIVATE_KEY", "b", "UCLOUD_SECURITY_TOKEN", "c", "UCLOUD_REGION", "r")})
	if err != nil || string(s.Token) != "c" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestHomeIsHOMEAndOtherFilesCanBeNamed(t *testing.T) {
	dir := home(t, twoProfiles, twoPairs, 0o600)
	s, err := ulb.Load(ulb.Sources{Env: env("HOME", dir)})
	if err != nil || s.PublicKey != "pub-default" {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := os.Rename(filepath.Join(dir, ".ucloud"), filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	s, err = ulb.Load(ulb.Sources{Env: env("HOME", dir, "UCLOUD_SHARED_CONFIG_FILE", "~/moved/config.json", "UCLOUD_SHARED_CREDENTIAL_FILE", filepath.Join(dir, "moved/credential.json"))})
	if err != nil || s.PublicKey != "pub-default" || s.Origin["region"] != "profile default in ~/moved/config.json" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestCredentialsThatCannotBeUsedAreRefusedInASentence(t *testing.T) {
	good := home(t, twoProfiles, twoPairs, 0o600)
	for _, row := range []struct {
		name string
		home string
		env  []string
		want string
		auth bool // an AuthError
	}{
		{"none at all", t.TempDir(), nil, "no API keys: set UCLOUD_PUBLIC_KEY", true},
		{"half a pair", good, []string{"UCLOUD_PUBLIC_KEY", "canary-a"}, "UCLOUD_PRIVATE_KEY is missing", true},
		{"the other half", good, []string{"UCLOUD_PRIVATE_KEY", "canary-a"}, "UCLOUD_PUBLIC_KEY is missing", true},
		{"a token alone", good, []string{"UCLOUD_SECURITY_TOKEN", "canary-a"}, "is missing", true},
		{"a profile nobody has", good, []string{"UCLOUD_PROFILE", "nope"}, "profile nope: not in", true},
		{"a browser login", good, []string{"UCLOUD_PROFILE", "browser"}, "is a browser login of ucloud-cli", true},
		{"a file others may read", home(t, twoProfiles, twoPairs, 0o640), nil, "chmod 600", true},
		{"a file others may write", home(t, twoProfiles, twoPairs, 0o602), nil, "chmod 600", true},
		{"a file of somebody else", ofAnother(t), nil, "credential.json: it belongs to uid 4242 and this is uid 0", true},
		{"an object, not an array", home(t, twoProfiles, `{"profile":"default","private_key":"canary-a"}`, 0o600), nil, "not a JSON array", true},
		{"a number for a key", home(t, twoProfiles, `[{"profile":"default","private_key":90210}]`, 0o600), nil, "not a JSON array", true},
		{"a pair with a hole", home(t, twoProfiles, `[{"profile":"default","public_key":"canary-a"}]`, 0o600), nil, "no whole key pair", true},
		{"two active profiles", home(t, strings.Replace(twoProfiles, "false", "true", 1), twoPairs, 0o600), nil, "several profiles are active", true},
		{"settings that are no array", home(t, `{}`, twoPairs, 0o600), []string{"UCLOUD_PROFILE", "default"}, "config.json: not a JSON array", false},
		{"a named file that is not there", good, []string{"UCLOUD_SHARED_CREDENTIAL_FILE", "/nonexistent/x"}, "/nonexistent/x", true},
		{"no region", t.TempDir(), []string{"UCLOUD_PUBLIC_KEY", "a", "UCLOUD_PRIVATE_KEY", "b"}, "region: not given", false},
		{"plain http", good, []string{"UCLOUD_API_BASE_URL", "http://api.ucloud.cn"}, "plain http only to loopback", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.home == "" {
				t.Skip("only root can give a file to somebody else")
			}
			if runtime.GOOS == "windows" && strings.Contains(row.want, "chmod") {
				t.Skip("no mode bits")
			}
			_, err := ulb.Load(ulb.Sources{Home: row.home, Env: env(row.env...)})
			if err == nil || !strings.Contains(err.Error(), row.want) || is[*ulb.AuthError](err) != row.auth {
				t.Fatalf("got %v, want %q in it", err, row.want)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "90210") {
				t.Errorf("a key is told: %v", err)
			}
		})
	}
}

func TestOnlyHTTPSLeavesTheMachine(t *testing.T) {
	for base, want := range map[string]bool{
		"https://api.ucloud.cn": true, "https://api.example.com:8443/path": true, "http://api.service.ucloud.cn": true,
		"http://127.0.0.1:8080": true, "http://127.9.9.9": true, "http://[::1]:8080": true, "http://localhost:1": true,
		"http://api.ucloud.cn": false, "http://10.0.0.1": false, "http://api.service.ucloud.cn.evil.example": false, "http://localhost.evil.example": false,
		"ftp://api.ucloud.cn": false, "api.ucloud.cn": false, "127.0.0.1:1": false, "https://": false, "https://:1": false,
		"https://user:canary@api.ucloud.cn": false, "https://api.ucloud.cn/?x=1": false, "https://api.ucloud.cn/#x": false,
	} {
		_, err := ulb.Load(ulb.Sources{Home: t.TempDir(), Flags: ulb.Values{BaseURL: base, Region: "r"}, Env: env("UCLOUD_PUBLIC_KEY", "a", "UCLOUD_PRIVATE_KEY", "b")})
		if (err == nil) != want {
			t.Errorf("%s: got %v", base, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("a password is told: %v", err)
		}
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add(twoProfiles, twoPairs)
	f.Add(`[null]`, `[{"profile":null}]`)
	f.Add(`{}`, `[`)
	f.Fuzz(func(t *testing.T, config, credential string) {
		s, err := ulb.Load(ulb.Sources{Home: home(t, config, credential, 0o600), Env: env("UCLOUD_REGION", "r")})
		if err == nil && (s.PublicKey == "" || s.PrivateKey == "") {
			t.Errorf("no error, but no keys either: %+v", s)
		}
	})
}
