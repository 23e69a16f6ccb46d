//go:build e2e

package e2e

import (
	"os"
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
