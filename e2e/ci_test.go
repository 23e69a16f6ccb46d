//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// runner is a CI system that carries out the jobs of this repository's own templates on a world: with the environment, the files and the signals that
// the system documents.
type runner struct {
	*world
	work string // where its jobs run
	env  map[string]string
}

// hire gives a runner for a world. rollout is on its PATH.
func (w *world) hire(env map[string]string) *runner {
	w.t.Helper()
	r := &runner{world: w, work: w.t.TempDir(), env: map[string]string{
		"PATH": filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME": w.t.TempDir(), "CI": "true",
	}}
	for k, v := range env {
		r.env[k] = strings.ReplaceAll(v, "WORK", r.work)
	}
	return r
}

// step is a shell that carries lines out, not yet started: the head of a process group, as a runner starts one.
func (r *runner) step(shell []string, lines string, env map[string]string) *started {
	r.t.Helper()
	s := &started{Cmd: exec.Command(shell[0], append(shell[1:], lines)...), t: r.t}
	s.Dir, s.Stdout, s.Stderr, s.Env = r.work, &s.out, &s.errs, []string{}
	for _, vars := range []map[string]string{r.env, env} {
		for k, v := range vars {
			s.Env = append(s.Env, k+"="+v)
		}
	}
	s.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return s
}

// lines is a step of several lines, as GitLab joins them.
func (r *runner) lines(lines []string, env map[string]string) *started {
	r.t.Helper()
	return r.step([]string{"sh", "-e", "-c"}, strings.Join(lines, "\n"), env)
}

// finish runs a step to its end. Nothing that a job prints has an escape code.
func (s *started) finish(t *testing.T) output {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s.ended(t)
}

func (s *started) ended(t *testing.T) output {
	t.Helper()
	o := s.wait()
	if strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Errorf("an escape code is in %s", o)
	}
	return o
}

// read gives a file of the runner's; empty where there is none.
func (r *runner) read(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.work, name))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(b)
}

// document reads a YAML file of the repository; of several documents, the last.
func document(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, last, several := strings.Cut(string(b), "\n---\n")
	if !several {
		last = string(b)
	}
	if err := yaml.Unmarshal([]byte(last), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// action is what action.yml says, as far as a runner needs it.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Shell, Run string
			Env        map[string]string
		}
	}
}

var expression = regexp.MustCompile(`\$\{\{\s*inputs\.([a-z0-9-]+)\s*\}\}`)

// use gives the step of the action with these inputs, as GitHub would start it.
func (r *runner) use(with map[string]string) *started {
	r.t.Helper()
	var a action
	document(r.t, "../action.yml", &a)
	if len(a.Runs.Steps) != 1 || a.Runs.Steps[0].Shell != "bash" {
		r.t.Fatalf("the action has other steps than this test knows: %+v", a.Runs.Steps)
	}
	for name := range with {
		if _, ok := a.Inputs[name]; !ok {
			r.t.Fatalf("the action has no input %s", name)
		}
	}
	st, env := a.Runs.Steps[0], map[string]string{}
	if strings.Contains(st.Run, "${{") {
		r.t.Fatalf("an expression is in a line of shell: %s", st.Run)
	}
	for k, v := range st.Env {
		env[k] = expression.ReplaceAllStringFunc(v, func(x string) string {
			name := expression.FindStringSubmatch(x)[1]
			if v, ok := with[name]; ok {
				return v
			}
			return a.Inputs[name].Default
		})
	}
	root, err := filepath.Abs("..")
	if err != nil {
		r.t.Fatal(err)
	}
	env["GITHUB_ACTION_PATH"] = root
	return r.step([]string{"bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"}, st.Run, env)
}

// on adds to the inputs of the action which world is meant.
func (r *runner) on(with map[string]string) map[string]string {
	with["config"], with["state-dir"] = filepath.Join(r.dir, "rollout.yaml"), r.state
	if with["version"] == "" {
		with["version"] = "path"
	}
	return with
}

// github is a runner of GitHub Actions.
func (w *world) github() *runner {
	return w.hire(map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "WORK", "GITHUB_OUTPUT": "WORK/output", "GITHUB_STEP_SUMMARY": "WORK/summary", "GITHUB_PATH": "WORK/path", "RUNNER_TEMP": "WORK",
	})
}

var heredoc = regexp.MustCompile(`(?m)^([a-z-]+)<<(\S+)\n(.*)\n(\S+)$`)

// outputs reads $GITHUB_OUTPUT; of a name that is there twice the last value counts.
func (r *runner) outputs() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	for _, m := range heredoc.FindAllStringSubmatch(r.read("output"), -1) {
		if m[2] != m[4] {
			r.t.Fatalf("output: %q", m)
		}
		all[m[1]] = m[3]
	}
	return all
}

// cancel ends a step as GitHub does: SIGINT to its first process, SIGTERM 7.5 s later, and 2.5 s after that SIGKILL. It gives which of them it took.
func (s *started) cancel(t *testing.T) (output, []syscall.Signal) {
	t.Helper()
	gone := make(chan struct{})
	var o output
	go func() {
		o = s.wait()
		close(gone)
	}()
	var sent []syscall.Signal
	for _, next := range []struct {
		syscall.Signal
		then time.Duration
	}{{syscall.SIGINT, 7500 * time.Millisecond}, {syscall.SIGTERM, 2500 * time.Millisecond}, {syscall.SIGKILL, time.Minute}} {
		sent = append(sent, next.Signal)
		if err := s.Process.Signal(next.Signal); err != nil {
			t.Errorf("%s: %v", next.Signal, err)
		}
		timer := time.NewTimer(next.then)
		defer timer.Stop()
		select {
		case <-gone:
			return o, sent
		case <-timer.C:
		}
	}
	t.Fatal("the step does not end")
	return o, sent
}

// obeyed gives the workflow commands of a log, as a runner reads it.
func obeyed(o output) []string {
	var all []string
	for l := range strings.FieldsFuncSeq(o.stdout+o.stderr, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(strings.TrimSpace(l), "::") || strings.Contains(l, "##[") {
			all = append(all, l)
		}
	}
	return all
}

// TestAJobOfGitHubThatIsCancelledIsGoneOnWithByTheNext: three jobs carry one update out. The first is cancelled in a drain; in the second a machine
// prints workflow commands and fails; the third brings it to its end. The key comes from a secret, into an agent.
func TestAJobOfGitHubThatIsCancelledIsGoneOnWithByTheNext(t *testing.T) {
	w := serve(t)
	key, err := os.ReadFile(filepath.Join(w.dir, "keys", "client"))
	if err != nil {
		t.Fatal(err)
	}
	mended := filepath.Join(w.dir, "mended")
	w.edit("deploy:\n  run: \"", "deploy:\n  run: \"[ -e "+mended+" ] || { printf '\\\\033[31m\\\\n::error::owned\\\\n ::set-output name=result::owned\\\\r##[add-mask]owned\\\\n' >&2; exit 7; }; ")
	r := w.github()
	if o := r.use(r.on(map[string]string{"command": "check"})).finish(t); o.code != 0 || r.outputs()["result"] != "ok" {
		t.Fatalf("check: outputs %v, %s", r.outputs(), o)
	}

	w.edit("  keys: [keys/client]\n", "") // from here on, only the secret has it
	job := r.use(r.on(map[string]string{"ref": "v1.1.0", "ssh-key": string(key)}))
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("a drain", draining)
	if got := r.outputs(); got["result"] != "interrupted" || got["run-id"] == "" || got["sessions-cut"] != "0" {
		t.Errorf("a job under way has told %v", got)
	}
	o, sent := job.cancel(t)
	run := r.outputs()["run-id"]
	if o.code != 6 || len(sent) != 1 || r.outputs()["result"] != "interrupted" || r.outputs()["exit-code"] != "6" || strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Errorf("a cancelled job: it took %v, outputs %v, %s", sent, r.outputs(), o)
	}
	contains(t, o, "::group::2 of 11  drain group2", "::warning title=Interrupted::", r.state+" resume")

	o = r.use(r.on(map[string]string{"command": "resume", "ssh-key": string(key)})).finish(t)
	if got := r.outputs(); o.code != 6 || got["result"] != "held" || got["run-id"] != run {
		t.Errorf("a deploy that fails: outputs %v, %s", got, o)
	}
	contains(t, o, "::error title=deploy group2::", "::group::2 of 11  drain group2", "::error title=Held%2C safe::")
	for _, l := range obeyed(o) {
		command, _, _ := strings.Cut(strings.TrimPrefix(l, "::"), "::")
		if strings.Contains(command, "owned") || !regexp.MustCompile(`^(group|endgroup|error|warning)\b`).MatchString(command) {
			t.Errorf("a machine is obeyed: %q", l)
		}
	}
	if err := os.WriteFile(mended, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o = r.use(r.on(map[string]string{"command": "resume", "ssh-key": string(key)})).finish(t)
	if got := r.outputs(); o.code != 0 || got["result"] != "done" || got["run-id"] != run || got["sessions-cut"] != "0" || got["exit-code"] != "0" {
		t.Errorf("resume: outputs %v, %s", got, o)
	}
	if page := r.read("summary"); !strings.Contains(page, "### Steps") || !strings.Contains(page, "v1.1.0") || strings.Contains(page, "\x1b") {
		t.Errorf("got page %s", page)
	}
	w.all("v1.1.0")
	w.restartedOnce()
	w.nobodyNoticed()
}

// gitlab is the job of the template, with its inputs filled in.
type gitlab struct {
	Variables   map[string]string
	Script      []string
	AfterScript []string `yaml:"after_script"`
	Retry       struct {
		ExitCodes []int `yaml:"exit_codes"`
	}
}

var input = regexp.MustCompile(`\$\[\[ inputs\.([a-z-]+) \]\]`)

// template fills the template in, as GitLab does before it reads the job.
func (r *runner) template(with map[string]string) gitlab {
	r.t.Helper()
	b, err := os.ReadFile("../packaging/gitlab/rollout.yml")
	if err != nil {
		r.t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(b), "\n---\n")
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default any }
		}
	}
	if err := yaml.Unmarshal([]byte(head), &spec); err != nil {
		r.t.Fatal(err)
	}
	body = input.ReplaceAllStringFunc(body, func(x string) string {
		name := input.FindStringSubmatch(x)[1]
		in, ok := spec.Spec.Inputs[name]
		if !ok {
			r.t.Fatalf("the template has no input %s", name)
		}
		if v, ok := with[name]; ok {
			return v
		}
		return fmt.Sprint(in.Default)
	})
	var jobs map[string]gitlab
	if err := yaml.Unmarshal([]byte(body), &jobs); err != nil {
		r.t.Fatalf("%v in %s", err, body)
	}
	return jobs["rollout"]
}

// TestAJobOfGitLabThatIsKilledIsGoneOnWithByTheNext: the job and everything of it is killed at once in a drain; the part of the job that comes after says
// how it stands, and a next job goes on. A job beside one that runs ends with the code that is tried again. Jenkins' lines do the same.
func TestAJobOfGitLabThatIsKilledIsGoneOnWithByTheNext(t *testing.T) {
	w := serve(t)
	r := w.hire(map[string]string{"GITLAB_CI": "true"})
	with := func(command string) gitlab {
		return r.template(map[string]string{
			"ulb": "ulb-x", "command": command, "ref": "v1.1.0", "wait": "0", "config": filepath.Join(w.dir, "rollout.yaml"), "state-dir": w.state,
		})
	}
	start := with("start")
	job := r.lines(start.Script, start.Variables)
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("a drain", draining)
	other := w.hire(map[string]string{"GITLAB_CI": "true"})
	if o := other.lines(start.Script, start.Variables).finish(t); o.code != 5 || !strings.HasPrefix(other.read("rollout.env"), "ROLLOUT_RESULT=locked\n") || len(start.Retry.ExitCodes) != 1 || start.Retry.ExitCodes[0] != 5 {
		t.Errorf("a second job: want exit 5, which is tried again, got %s", o)
	}
	if err := syscall.Kill(-job.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	job.ended(t)
	if got := r.read("rollout.env"); !regexp.MustCompile(`^ROLLOUT_RESULT=interrupted\nROLLOUT_RUN_ID=\S+\nROLLOUT_SESSIONS_CUT=0\n$`).MatchString(got) {
		t.Errorf("a killed job has told %q", got)
	}
	if o := r.lines(start.AfterScript, start.Variables).finish(t); o.code != 0 || !strings.Contains(o.stdout, "INTERRUPTED") {
		t.Errorf("after_script of a killed job: %s", o)
	}
	resume := with("resume")
	if o := r.lines(resume.Script, resume.Variables).finish(t); o.code != 0 || strings.Contains(o.stdout+o.stderr, "::") {
		t.Errorf("resume: %s", o)
	}
	if got := r.read("rollout.env"); !regexp.MustCompile(`^ROLLOUT_RESULT=done\nROLLOUT_RUN_ID=\S+\nROLLOUT_SESSIONS_CUT=0\nROLLOUT_EXIT_CODE=0\n$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	if o := r.lines(resume.AfterScript, resume.Variables).finish(t); o.code != 0 || !strings.Contains(r.read("rollout-junit.xml"), "<testsuite") {
		t.Errorf("after_script: %s\n%s", o, r.read("rollout-junit.xml"))
	}
	w.restartedOnce()
	jenkins(t, w)
	w.nobodyNoticed()
}

var sh = regexp.MustCompile(`(?s)sh '''(.*?)'''`)

// jenkinsfile gives the two scripts of the Jenkinsfile: the deploy, and what comes always.
func jenkinsfile(t *testing.T) (deploy, always string) {
	t.Helper()
	b, err := os.ReadFile("../packaging/jenkins/Jenkinsfile")
	if err != nil {
		t.Fatal(err)
	}
	lines := sh.FindAllStringSubmatch(string(b), -1)
	if len(lines) != 2 {
		t.Fatalf("the Jenkinsfile has %d scripts, want the deploy and what comes always", len(lines))
	}
	return lines[0][1], lines[1][1]
}

// jenkins runs the lines of the Jenkinsfile.
func jenkins(t *testing.T, w *world) {
	t.Helper()
	deploy, always := jenkinsfile(t)
	r := w.hire(map[string]string{
		"JENKINS_URL": "http://127.0.0.1/", "DEPLOY_CONFIG": filepath.Join(w.dir, "rollout.yaml"), "DEPLOY_STATE": w.state, "ROLLOUT_DOTENV": "rollout.env",
		"DEPLOY_COMMAND": "plan", "DEPLOY_REF": "v1.2.0",
	})
	if o := r.step([]string{"sh", "-xe", "-c"}, deploy, nil).finish(t); o.code != 0 || !strings.Contains(o.stdout, "v1.2.0") || !strings.Contains(r.read("rollout.env"), "ROLLOUT_RESULT=ok\n") {
		t.Errorf("plan: %s", o)
	}
	if o := r.step([]string{"sh", "-xe", "-c"}, always, nil).finish(t); o.code != 0 || !strings.Contains(o.stdout, "DONE") || r.read("rollout-junit.xml") != "" {
		t.Errorf("what comes always, which has no run of its own to report: %s\n%s", o, r.read("rollout-junit.xml"))
	}
}
