package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

// planFile is a plan as plan --out saves it. The sum is there to notice what happens to files: an editor, a copy that broke off. It keeps nobody
// out who can write the file; a plan holds command lines and is trusted like rollout.yaml.
type planFile struct {
	plans.Plan
	Sum string `json:"sha256"` // of the plan alone, as compact JSON
}

// largestPlan is more than a plan of 300 machines with 5,000 backends needs.
const largestPlan = 64 << 20

// sumOf gives the sum of a plan.
func sumOf(p plans.Plan) (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// savePlan writes a plan for start --plan.
func savePlan(path string, p plans.Plan) error {
	sum, err := sumOf(p)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(planFile{p, sum}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// readPlan reads a plan that was saved with plan --out, and refuses one that is not as it was written, unsafe, or not for this rollout.yaml.
func (s *site) readPlan(path string) (plans.Plan, error) {
	p, err := openPlan(path)
	switch {
	case err != nil:
		return p, err
	case p.Service != s.cfg.Service:
		err = fmt.Errorf("the plan is for %q, and rollout.yaml is about %q; name the plan's rollout.yaml with -c", p.Service, s.cfg.Service)
	case p.Config != s.cfg.Sum:
		err = errors.New("the plan is stale: rollout.yaml has changed since it was made; make a new one with `rollout plan`")
	default:
		err = p.Check()
	}
	if err != nil {
		return p, refusedError{fmt.Errorf("--plan %s: %w", path, err)}
	}
	return p, nil
}

// unused refuses a plan that was carried out, to whatever end: its id is that of its run.
func (s *site) unused(p plans.Plan) error {
	ids, err := journal.Runs(s.dir)
	if err != nil {
		return err
	}
	if slices.Contains(ids, p.ID) {
		return refusedf("this plan was carried out already (run %s): `rollout report %s` says how it ended; make a new one with `rollout plan`", p.ID, p.ID)
	}
	return nil
}

// openPlan reads a plan's file.
func openPlan(path string) (plans.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return plans.Plan{}, usageError{fmt.Errorf("--plan: %w", err)}
	}
	b, err := io.ReadAll(io.LimitReader(f, largestPlan+1))
	_ = f.Close() // it was only read
	if err != nil {
		return plans.Plan{}, usageError{fmt.Errorf("--plan: %w", err)}
	}
	p, err := parsePlan(path, b)
	if err != nil {
		return p, usageError{fmt.Errorf("--plan %w; make a new one with `rollout plan`", err)}
	}
	return p, nil
}

// parsePlan turns a file's bytes into its plan; the error begins with the place in the file.
func parsePlan(path string, b []byte) (plans.Plan, error) {
	if len(b) > largestPlan {
		return plans.Plan{}, fmt.Errorf("%s: the file is larger than %d MiB", path, largestPlan>>20)
	}
	var v struct{ Version *int }
	if json.Unmarshal(b, &v) == nil && v.Version != nil && *v.Version > plans.Version {
		return plans.Plan{}, fmt.Errorf("%s: it has format version %d and this rollout reads up to %d; use the rollout that wrote it", path, *v.Version, plans.Version)
	}
	var file planFile
	if err := json.Unmarshal(b, &file); err != nil {
		return plans.Plan{}, fmt.Errorf("%s: %w", where(path, b, err), wordsOf(err))
	}
	switch sum, err := sumOf(file.Plan); {
	case file.Sum == "":
		return plans.Plan{}, fmt.Errorf("%s: it is no plan: there is no sha256 in it", path)
	case err != nil || file.Sum != sum:
		return plans.Plan{}, fmt.Errorf("%s: it is not as it was written: its sha256 does not fit", path)
	}
	if err := checkRun("its id", file.ID); err != nil {
		return plans.Plan{}, fmt.Errorf("%s: %w", path, err)
	}
	return file.Plan, nil
}

// where adds line and column of a mistake in JSON to a path.
func where(path string, b []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	if at < 0 || at > int64(len(b)) {
		return path
	}
	before := b[:max(0, at-1)] // the offset is that of the byte after the mistake
	return fmt.Sprintf("%s:%d:%d", path, bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'))
}

// wordsOf says of a mistake in JSON what somebody can use who knows no Go.
func wordsOf(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		is := map[string]string{"array": "a list", "object": "a map of keys", "string": "a text", "bool": "true or false"}[kind.Value]
		if is == "" {
			is = "a number" // and perhaps which
		}
		if at := strings.TrimPrefix(kind.Field, "Plan."); at != "" {
			return fmt.Errorf("%s: it is %s, which cannot stand here", at, is)
		}
		return fmt.Errorf("it is %s and no plan", is)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input" {
		return errors.New("the file ends here, in the middle of the plan")
	}
	return fmt.Errorf("no JSON: %w", err)
}
