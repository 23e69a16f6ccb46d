package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/config"
)

// ci is what this process does for the CI system that runs it, beside its lines. Outside of one, and for a command that a job is not made of, it does
// nothing. What it cannot write is said once and changes no run.
type ci struct {
	system  string         // github, gitlab, jenkins, other; empty: none
	command string         // such as start; empty until it is known, and for a command that tells nobody how it ended
	marks   *marks         // GitHub
	page    *jobPage       // GitHub
	outlets []outlet       // where the outcome goes
	told    outcome        // what they have
	cut     map[string]int // by run: with on_failure: rollback one command carries out two
	run     string         // whose section the page has
	site    *site          // whose journals tell a run; nil until rollout.yaml has been read
	failed  func(error)
}

// deploying are the commands that a job is made of: they tell how they ended. A `rollout status` after one of them must not overwrite that.
var deploying = []string{"start", "resume", "rollback", "abort", "check", "plan"}

// system names the CI system by what it puts into the environment of every job; empty: none.
func system(lookup func(string) (string, bool)) string {
	is := func(name string) bool {
		v, ok := lookup(name)
		return ok && v != "" && v != "0" && !strings.EqualFold(v, "false")
	}
	switch {
	case is("GITHUB_ACTIONS"):
		return "github"
	case is("GITLAB_CI"):
		return "gitlab"
	case is("JENKINS_URL"):
		return "jenkins"
	case is("CI"):
		return "other"
	}
	return ""
}

// inCI looks whether a CI system runs this process. There nobody can be asked, nothing is redrawn, and at GitHub both streams are guarded.
func (e *env) inCI() {
	c := ci{system: system(e.lookup), cut: map[string]int{}}
	file := func(name string) string { v, _ := e.lookup(name); return v }
	if c.system != "" {
		e.terminal = false
	}
	if path := file("ROLLOUT_DOTENV"); path != "" {
		c.outlets = append(c.outlets, dotenv(path))
	}
	if c.system == "github" {
		out, errs := &guard{out: e.stdout}, &guard{out: e.stderr}
		e.stdout, e.stderr = out, errs
		c.marks = &marks{lines: out, errs: errs, workspace: file("GITHUB_WORKSPACE")}
		if path := file("GITHUB_OUTPUT"); path != "" {
			c.outlets = append(c.outlets, githubOutput(path))
		}
		if path := file("GITHUB_STEP_SUMMARY"); path != "" {
			c.page = &jobPage{path: path}
		}
	}
	said := false
	c.failed = func(err error) {
		if err != nil && !said {
			said = true
			e.say("rollout: what the next job is told: %v", err)
		}
	}
	e.ci = &c
}

// begin names the command that runs by its path, such as "rollout start", as soon as the flags are known: a mistake in them is told, too.
func (e *env) begin(path string) {
	c := e.ci
	command, ok := strings.CutPrefix(path, "rollout ")
	if c == nil || !ok || !slices.Contains(deploying, command) {
		return
	}
	c.command = command
	if c.marks != nil && !e.text() {
		c.marks.lines = c.marks.errs
	}
	if c.marks != nil && (e.flags.quiet || e.flags.output == "jsonl") {
		c.marks.lines = nil
	}
}

// active says whether anybody is to be told.
func (c *ci) active() bool { return c != nil && c.command != "" }

// write tells an outcome to everybody who has an older one.
func (c *ci) write(o outcome) {
	if o == c.told {
		return
	}
	for _, write := range c.outlets {
		c.failed(write(c.told, o))
	}
	c.told = o
}

// show puts what a command has printed for people on the job's page, under a title.
func (c *ci) show(title, text string) {
	if c.active() && c.page != nil {
		c.page.keep()
		c.failed(c.page.put(section(title, "", text)))
		c.page.keep()
	}
}

// leave tells how the command ended. text is what was said of err; empty where a page has told it.
func (c *ci) leave(err error, code int, text string) {
	if !c.active() {
		return
	}
	c.blame(err, text)
	if text != "" {
		c.show("rollout "+c.command+": "+ended(code), text)
	}
	o := c.told
	switch {
	case o.result == "":
		o.result = ended(code)
	case code == 7: // also where on_failure: rollback has brought the release before it back, in a run that is done
		o.result = "aborted"
	}
	o.code = strconv.Itoa(code)
	c.write(o)
}

// ended is the result of a command that has carried no run out.
func ended(code int) string {
	switch code {
	case 0:
		return "ok"
	case 2, 3, 4:
		return "refused"
	case 5:
		return "locked"
	case 8:
		return "changes"
	case 130, 143:
		return "interrupted"
	}
	return "failed"
}

// blame annotates what is wrong: each mistake of a configuration where it stands, each finding, or what was said.
func (c *ci) blame(err error, text string) {
	var faults *config.Faults
	findings := failures(err)
	switch {
	case errors.As(err, &faults):
		for _, f := range faults.All[:min(most, len(faults.All))] {
			c.marks.fault(f)
		}
	case len(findings) > 0:
		for _, f := range findings[:min(most, len(findings))] {
			c.marks.finding("error", f.finding)
		}
	case text != "":
		c.marks.note("error", "rollout "+c.command, strings.TrimSpace(strings.TrimPrefix(text, "rollout: ")))
	}
}

// warnings annotates what a check has found that a person should read.
func (c *ci) warnings(all []finding) {
	if !c.active() {
		return
	}
	for _, f := range all {
		if f.Level == "warn" {
			c.marks.finding("warning", f)
		}
	}
}

// failures gives the findings that an error is made of.
func failures(err error) []failure {
	if f, ok := err.(failure); ok { //nolint:errorlint // this walks the tree itself, since As stops at the first
		return []failure{f}
	}
	var all []failure
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		for _, x := range e.Unwrap() {
			all = append(all, failures(x)...)
		}
	case interface{ Unwrap() error }:
		all = failures(e.Unwrap())
	}
	return all
}
