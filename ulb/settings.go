package ulb

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/user"
	"strings"
)

const (
	publicURL = "https://api.ucloud.cn"
	// vpcHost is UCloud's address inside its private networks. It speaks plain HTTP only, which is why it is an exception.
	vpcHost = "api.service.ucloud.cn"
)

// Settings are what a Balancer needs to call UCloud.
type Settings struct {
	Credentials
	Region    string // such as "cn-bj2"
	ProjectID string // such as "org-abc"; empty is the account's default project, which sub-accounts do not have
	BaseURL   string // such as "https://api.ucloud.cn"

	// Origin says where each value came from, for people: keys "keys", "profile", "region", "project_id" and "base_url".
	// A value that is not set has no entry.
	Origin map[string]string
}

// Values are settings of one level of precedence; an empty one leaves the choice to the next level.
type Values struct{ Profile, Region, ProjectID, BaseURL string }

// Sources are the places Load looks in. Its zero value is this process' environment and home.
type Sources struct {
	Flags Values                      // from the command line: before the environment
	File  Values                      // from rollout.yaml: after the environment
	Env   func(string) (string, bool) // nil is os.LookupEnv
	Home  string                      // where .ucloud is; empty is $HOME, and without that the user's home directory
}

// Load finds credentials and settings: command line, then environment, then rollout.yaml, then a profile of ucloud-cli in
// ~/.ucloud/config.json and credential.json.
//
// A key pair, with its security token, comes from one source whole: from the profile named on the command line; else from
// UCLOUD_PUBLIC_KEY, UCLOUD_PRIVATE_KEY and UCLOUD_SECURITY_TOKEN; else from the profile named by UCLOUD_PROFILE or
// rollout.yaml; else from the active one. Region, project and address come one by one, from a profile only if it was named
// or gave the keys. UCLOUD_SHARED_CONFIG_FILE and UCLOUD_SHARED_CREDENTIAL_FILE name other files.
//
// The error joins everything that is wrong. What concerns the keys is an *AuthError.
func Load(o Sources) (Settings, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	home, err := o.home()
	if err != nil {
		return Settings{}, err
	}
	env := func(name string) string {
		v, _ := o.Env(name)
		return strings.TrimSpace(v)
	}

	s := Settings{Origin: map[string]string{}}
	files := files{home: home, config: env("UCLOUD_SHARED_CONFIG_FILE"), credential: env("UCLOUD_SHARED_CREDENTIAL_FILE")}
	s.set("profile", &files.profile, o.Flags.Profile, "UCLOUD_PROFILE", env("UCLOUD_PROFILE"), o.File.Profile)
	named := files.profile != ""

	keys, inEnv, keyErr := envKeys(env)
	if inEnv && o.Flags.Profile == "" {
		s.Credentials = keys
	} else {
		s.Credentials, keyErr = files.keys()
		if !named && files.profile != "" {
			s.Origin["profile"] = "active in " + files.configName()
		}
	}
	if keyErr != nil {
		keyErr = &AuthError{Err: keyErr}
	} else {
		s.Origin["keys"] = s.Source
	}

	var p profile
	var fileErr error
	if files.profile != "" {
		p, fileErr = files.settings()
	}
	s.set("region", &s.Region, o.Flags.Region, "UCLOUD_REGION", env("UCLOUD_REGION"), o.File.Region)
	s.set("project_id", &s.ProjectID, o.Flags.ProjectID, "UCLOUD_PROJECT_ID", env("UCLOUD_PROJECT_ID"), o.File.ProjectID)
	s.set("base_url", &s.BaseURL, o.Flags.BaseURL, "UCLOUD_API_BASE_URL", env("UCLOUD_API_BASE_URL"), o.File.BaseURL)
	from := fmt.Sprintf("profile %s in %s", p.Profile, files.configName())
	s.fill("region", &s.Region, p.Region, from)
	s.fill("project_id", &s.ProjectID, p.ProjectID, from)
	s.fill("base_url", &s.BaseURL, p.BaseURL, from)
	s.fill("base_url", &s.BaseURL, publicURL, "built in")

	var regionErr error
	if s.Region == "" && keyErr == nil && fileErr == nil {
		regionErr = errors.New("region: not given: use --region, UCLOUD_REGION, ucloud.region in rollout.yaml, or a profile that has one")
	}
	return s, errors.Join(keyErr, fileErr, regionErr, checkBaseURL(s.BaseURL))
}

// home is where .ucloud is looked for. $HOME comes before the user database, as in ucloud-cli and unlike in UCloud's SDK.
func (o Sources) home() (string, error) {
	if o.Home != "" {
		return o.Home, nil
	}
	if v, _ := o.Env("HOME"); v != "" {
		return v, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("home directory: HOME is not set: %w", err)
	}
	return u.HomeDir, nil
}

// set takes the first of flag, environment and file that says something.
func (s *Settings) set(key string, to *string, flag, name, env, file string) {
	s.fill(key, to, flag, "command line")
	s.fill(key, to, env, "environment ("+name+")")
	s.fill(key, to, file, "rollout.yaml")
}

// fill gives a value that is still empty, and remembers where it is from.
func (s *Settings) fill(key string, to *string, value, from string) {
	if value = strings.TrimSpace(value); *to == "" && value != "" {
		*to, s.Origin[key] = value, from
	}
}

// envKeys is the key pair of the environment, whether there is any trace of one, and what is wrong with it.
func envKeys(env func(string) string) (Credentials, bool, error) {
	public, private, token := env("UCLOUD_PUBLIC_KEY"), env("UCLOUD_PRIVATE_KEY"), env("UCLOUD_SECURITY_TOKEN")
	if public == "" && private == "" && token == "" {
		return Credentials{}, false, nil
	}
	for name, value := range map[string]string{"UCLOUD_PUBLIC_KEY": public, "UCLOUD_PRIVATE_KEY": private} {
		if value == "" {
			return Credentials{}, true, fmt.Errorf("environment: %s is missing: a key pair is never put together from two places", name)
		}
	}
	return Credentials{PublicKey: public, PrivateKey: Secret(private), Token: Secret(token), Source: "environment"}, true, nil
}

// checkBaseURL demands https, except where there is no network between (loopback) or no https (UCloud's private network):
// neither time nor nonce is signed, so a request seen on the way can be sent again.
func checkBaseURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// The text itself may hold a password, so it is not repeated.
		return errors.New("base url: not of the form https://host[:port][/path]")
	}
	switch host := u.Hostname(); {
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("base url %s: scheme %q: only https", u, u.Scheme)
	case host == "localhost", host == vpcHost, net.ParseIP(host).IsLoopback():
		return nil
	}
	return fmt.Errorf("base url %s: plain http only to loopback and http://%s: use https", u, vpcHost)
}
