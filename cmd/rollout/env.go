package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/view"
)

// env is what a command has of the world around it: streams, environment, terminal, and the global flags.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)
	terminal       bool   // stdin and stdout are one
	aside          *aside // standard error, where that is a terminal too
	signals        *interrupts
	width          int
	flags          globals
	again          string         // the flags by which another command is about the same service
	outbox         *notify.Outbox // news on its way; nil while nobody has been told anything
	ci             *ci            // what is done for the CI system around; nil: nothing
}

// globals are the flags every command has.
type globals struct {
	config, output                      string
	json, quiet, verbose                bool
	noColor, noInput, yes               bool
	profile, region, projectID, baseURL string
	stateDir                            string
}

func (g *globals) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&g.config, "config", "c", "rollout.yaml", "the configuration `FILE`")
	f.StringVarP(&g.output, "output", "o", "text", "text, json, yaml or jsonl")
	f.BoolVarP(&g.json, "json", "j", false, "short for -o json")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print results only")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "say on stderr what is sent where")
	f.BoolVar(&g.noColor, "no-color", false, "no colour in the live view; as NO_COLOR")
	f.BoolVar(&g.noInput, "no-input", false, "never ask; a question becomes an error")
	f.BoolVarP(&g.yes, "yes", "y", false, "answer every question with yes")
	f.StringVarP(&g.profile, "profile", "p", "", "the `PROFILE` of ~/.ucloud to take keys from")
	f.StringVar(&g.region, "region", "", "the UCloud `REGION`")
	f.StringVar(&g.projectID, "project-id", "", "the UCloud `PROJECT`")
	f.StringVar(&g.baseURL, "base-url", "", "another UCloud API `URL`")
	f.StringVar(&g.stateDir, "state-dir", "", "the `DIR` that holds the state of all services (default $XDG_STATE_HOME/rollout)")
}

// again gives the flags that say which service it is about, as they were given.
func (g *globals) again() string {
	var all []string
	if g.config != "rollout.yaml" {
		all = append(all, "-c "+view.Typed(g.config))
	}
	if g.stateDir != "" {
		all = append(all, "--state-dir "+view.Typed(g.stateDir))
	}
	return strings.Join(all, " ")
}

// check refuses an output nobody knows.
func (g *globals) check() error {
	if g.json {
		g.output = "json"
	}
	switch g.output {
	case "text", "json", "yaml", "jsonl":
		return nil
	}
	return usagef("--output %s: it is text, json, yaml or jsonl", word(g.output))
}

// text says whether people read the output.
func (e *env) text() bool { return e.flags.output == "text" && !e.flags.json }

// document prints a result for programs, in the output format asked for.
func (e *env) document(v any) error {
	switch e.flags.output {
	case "yaml":
		return e.yaml(v)
	case "jsonl":
		return writeJSON(e.stdout, v, "")
	}
	return writeJSON(e.stdout, v, "  ")
}

// yaml prints v as YAML with the names JSON has.
func (e *env) yaml(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	if err := yaml.Unmarshal(b, &plain); err != nil {
		return err
	}
	out, err := yaml.Marshal(plain)
	if err != nil {
		return err
	}
	if log, ok := e.stdout.(*guard); ok && log.alters(out) { // JSON is YAML, and can write all of it so that a runner does not obey it
		return writeJSON(e.stdout, v, "  ")
	}
	_, err = e.stdout.Write(out)
	return err
}

// say prints progress for people.
func (e *env) say(format string, args ...any) {
	if !e.flags.quiet {
		_, _ = fmt.Fprintln(e.stderr, view.Clean(fmt.Sprintf(format, args...)))
	}
}

// whoami names the person and the machine: liu@ops-1.
func whoami() (name, host string) {
	name = "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name, host
}

// by is whoami in one word.
func by() string {
	name, host := whoami()
	return name + "@" + host
}
