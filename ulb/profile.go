package ulb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxProfiles bounds a profile file; real ones are below 10 KB.
const maxProfiles = 1 << 20

// profile is an element of config.json, as ucloud-cli and UCloud's SDK write it.
type profile struct {
	Profile   string `json:"profile"`
	Active    bool   `json:"active"`
	Region    string `json:"region"`
	ProjectID string `json:"project_id"`
	BaseURL   string `json:"base_url"`
}

// keyPair is an element of credential.json. Its tokens are not read: they rotate, and whoever else uses one logs its owner out.
type keyPair struct {
	Profile    string `json:"profile"`
	PublicKey  string `json:"public_key"`
	PrivateKey Secret `json:"private_key"`
	AuthMode   string `json:"auth_mode"`
}

// files are the two files of profiles. An empty profile becomes the active one when keys are asked for.
type files struct {
	home               string
	profile            string
	config, credential string // as named by the environment; empty is the usual place, where a missing file is none
}

func (f *files) configName() string     { return named(f.config, "~/.ucloud/config.json") }
func (f *files) credentialName() string { return named(f.credential, "~/.ucloud/credential.json") }

func named(given, usual string) string {
	if given != "" {
		return given
	}
	return usual
}

// keys returns the profile's key pair, and settles which profile that is.
func (f *files) keys() (Credentials, error) {
	if f.profile == "" {
		active, err := f.active()
		if err != nil {
			return Credentials{}, err
		}
		f.profile = active
	}
	var all []keyPair
	if err := f.read(f.credentialName(), f.credential != "", true, &all); err != nil {
		return Credentials{}, err
	}
	for _, k := range all {
		if k.Profile != f.profile {
			continue
		}
		from := fmt.Sprintf("profile %s in %s", f.profile, f.credentialName())
		private := strings.TrimSpace(string(k.PrivateKey))
		switch {
		case strings.EqualFold(k.AuthMode, "oauth"):
			return Credentials{}, &Flaw{from + ": is a browser login of ucloud-cli, which automation cannot use", "make a profile with an API key pair"}
		case k.PublicKey == "" || private == "":
			return Credentials{}, fmt.Errorf("%s: has no whole key pair", from)
		}
		return Credentials{PublicKey: strings.TrimSpace(k.PublicKey), PrivateKey: Secret(private), Source: from}, nil
	}
	return Credentials{}, fmt.Errorf("profile %s: not in %s", f.profile, f.credentialName())
}

// settings returns the profile's element of config.json; one that is only in credential.json has none.
func (f *files) settings() (profile, error) {
	var all []profile
	if err := f.read(f.configName(), f.config != "", false, &all); err != nil {
		return profile{}, err
	}
	for _, p := range all {
		if p.Profile == f.profile {
			return p, nil
		}
	}
	return profile{Profile: f.profile}, nil
}

// active is the name of the one active profile.
func (f *files) active() (string, error) {
	var all []profile
	if err := f.read(f.configName(), f.config != "", false, &all); err != nil {
		return "", err
	}
	var names []string
	for _, p := range all {
		if p.Active {
			names = append(names, p.Profile)
		}
	}
	switch len(names) {
	case 1:
		return names[0], nil
	case 0:
		return "", &Flaw{"no API keys", fmt.Sprintf("set UCLOUD_PUBLIC_KEY and UCLOUD_PRIVATE_KEY, or name a profile (%s has no active one)", f.configName())}
	}
	return "", &Flaw{fmt.Sprintf("%s: several profiles are active (%s)", f.configName(), strings.Join(names, ", ")), "name one"}
}

// read decodes a file of profiles into to, a pointer to a slice. A secret one must be ours or root's alone.
func (f *files) read(name string, must, secret bool, to any) error {
	path := name
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		path = filepath.Join(f.home, rest)
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	if secret {
		if err := alone(name, path, info); err != nil {
			return err
		}
	}
	body, err := io.ReadAll(io.LimitReader(file, maxProfiles+1))
	if err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	// The decoder's own words are not passed on: they can quote the file, and the file holds keys.
	if len(body) > maxProfiles || json.Unmarshal(body, to) != nil {
		return fmt.Errorf("%s: not a JSON array of profiles as ucloud-cli writes it", name)
	}
	return nil
}
