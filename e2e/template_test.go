//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pretend gives a runner of no world, whose rollout is a shell script.
func pretend(t *testing.T, script string, env map[string]string) *runner {
	t.Helper()
	r := (&world{t: t}).hire(env)
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "rollout"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	r.env["PATH"] = bin + string(os.PathListSeparator) + r.env["PATH"]
	return r
}

// TestGitLabsRollbackDoesNotTakeThePipelinesTag: that is the release to be left.
func TestGitLabsRollbackDoesNotTakeThePipelinesTag(t *testing.T) {
	t.Parallel()
	const place = "<--config><rollout.yaml><--state-dir></var/lib/rollout>"
	for name, c := range map[string]struct {
		with map[string]string
		want string
	}{
		"start":        {nil, "<start>" + place + "<--ref><v1.2.0><--yes>"},
		"restart only": {map[string]string{"ref": "-"}, "<start>" + place + "<--yes>"},
		"plan":         {map[string]string{"command": "plan"}, "<plan>" + place + "<--ref><v1.2.0>"},
		"rollback":     {map[string]string{"command": "rollback"}, "<rollback>" + place + "<--yes>"},
		"rollback to":  {map[string]string{"command": "rollback", "to": "v1.0.0"}, "<rollback>" + place + "<--to><v1.0.0><--yes>"},
		"resume":       {map[string]string{"command": "resume"}, "<resume>" + place},
	} {
		t.Run(name, func(t *testing.T) {
			r := pretend(t, `printf '<%s>' "$@"`+"\n", map[string]string{"GITLAB_CI": "true"})
			job := r.template(c.with)
			for k, v := range job.Variables { // GitLab fills in its own variables
				job.Variables[k] = strings.ReplaceAll(v, "$CI_COMMIT_TAG", "v1.2.0")
			}
			if o := r.lines(job.Script, job.Variables).finish(t); o.code != 0 || o.stdout != c.want {
				t.Errorf("want %s, got %s", c.want, o)
			}
		})
	}
}

// TestAJobReportsItsOwnRunOnly: the newest run may be another's, and files of an earlier job may still lie there.
func TestAJobReportsItsOwnRunOnly(t *testing.T) {
	t.Parallel()
	deploy, always := jenkinsfile(t)
	gitlab := (&world{t: t}).hire(nil).template(map[string]string{"ref": "v1.2.0"})
	for name, c := range map[string]struct {
		outcome string // what rollout writes; empty: it is killed before it can
		reports string
	}{
		"its own":             {"ROLLOUT_RESULT=held\nROLLOUT_RUN_ID=7f3a\n", "<7f3a>"},
		"refused":             {"ROLLOUT_RESULT=refused\nROLLOUT_EXIT_CODE=2\n", ""},
		"not even an outcome": {"", ""},
	} {
		for system, lines := range map[string][2]string{
			"gitlab":  {strings.Join(gitlab.Script, "\n"), strings.Join(gitlab.AfterScript, "\n")},
			"jenkins": {deploy, always},
		} {
			t.Run(name+", "+system, func(t *testing.T) {
				r := pretend(t, `for command; do case $command in
status) exit 1 ;;
report) shift 5; printf '<%s>' "$1" >rollout-junit.xml; exit 0 ;;
start) [ -z "$OUTCOME" ] || printf "$OUTCOME" >rollout.env ;;
esac; done
exit 6
`, map[string]string{"OUTCOME": c.outcome, "DEPLOY_COMMAND": "start", "DEPLOY_REF": "v1.2.0", "DEPLOY_CONFIG": "rollout.yaml", "DEPLOY_STATE": "state"})
				for _, f := range []string{"rollout.env", "rollout-junit.xml"} {
					if err := os.WriteFile(filepath.Join(r.work, f), []byte("ROLLOUT_RUN_ID=old\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				shell := []string{"sh", "-e", "-c"}
				if o := r.step(shell, lines[0], nil).finish(t); o.code != 6 {
					t.Errorf("the job: %s", o)
				}
				if o := r.step(shell, lines[1], nil).finish(t); o.code != 0 || r.read("rollout-junit.xml") != c.reports {
					t.Errorf("what comes after: %s\nwant %q reported, got %q", o, c.reports, r.read("rollout-junit.xml"))
				}
				if got := r.read("rollout.env"); got != c.outcome {
					t.Errorf("want the outcome %q, got %q", c.outcome, got)
				}
			})
		}
	}
}

// TestAnSSHKeyIsTakenAsPeoplePasteIt: without the end of its last line, and with the ends of lines that Windows has.
func TestAnSSHKeyIsTakenAsPeoplePasteIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "the-key", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const listing = "ssh-add -l\n"
	whole := strings.TrimSuffix(string(made), "\n")
	for name, key := range map[string]string{
		"as it was made": whole + "\n", "without its last newline": whole, "with CRLF": strings.ReplaceAll(whole, "\n", "\r\n") + "\r\n", "with CRLF and without its last newline": strings.ReplaceAll(whole, "\n", "\r\n"),
	} {
		t.Run("gitlab, "+name, func(t *testing.T) {
			r := pretend(t, listing, map[string]string{"GITLAB_CI": "true", "ROLLOUT_SSH_KEY": file + name})
			if err := os.WriteFile(file+name, []byte(key), 0o600); err != nil {
				t.Fatal(err)
			}
			job := r.template(map[string]string{"command": "resume"})
			if o := r.lines(job.Script, job.Variables).finish(t); o.code != 0 || !strings.Contains(o.stdout, "the-key") {
				t.Errorf("the agent has not the key: %s", o)
			}
		})
		t.Run("github, "+name, func(t *testing.T) {
			r := pretend(t, listing, (&world{t: t}).github().env)
			if o := r.use(map[string]string{"command": "resume", "version": "path", "ssh-key": key}).finish(t); o.code != 0 || !strings.Contains(o.stdout, "the-key") {
				t.Errorf("the agent has not the key: %s", o)
			}
		})
	}
	for _, system := range []string{"gitlab", "github"} {
		t.Run(system+", none", func(t *testing.T) {
			r := pretend(t, listing, map[string]string{"ROLLOUT_SSH_KEY": filepath.Join(t.TempDir(), "nosuch")})
			o := output{}
			if job := r.template(map[string]string{"command": "resume", "wait": "0"}); system == "gitlab" {
				o = r.lines(job.Script, job.Variables).finish(t)
			} else {
				o = r.use(map[string]string{"command": "resume", "version": "path", "ssh-key": "none"}).finish(t)
			}
			if o.code != 4 {
				t.Errorf("want exit 4, got %s", o)
			}
		})
	}
}
