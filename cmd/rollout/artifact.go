package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
)

// artifact gives what is to be unpacked on the machines and the local file it comes from; nil where rollout.yaml names none, or none is asked for:
// without a release the machines are restarted with what they have. The file is read whole, for its sum: what is sent later is what was
// looked at now, or a machine refuses it.
func (s *site) artifact(ref string) (*plans.Artifact, string, error) {
	d := s.cfg.Deploy
	if d.Artifact == "" || ref == "" {
		return nil, "", nil
	}
	path := s.cfg.Local(d.Artifact)
	f, err := os.Open(path)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("deploy.artifact: %w", err)}
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, "", usageError{fmt.Errorf("deploy.artifact: %w", err)}
	}
	a := &plans.Artifact{Root: d.Root, Release: ref, Sum: hex.EncodeToString(sum.Sum(nil)), Keep: d.Keep, Shared: d.Shared}
	if err := a.Check(); err != nil {
		return nil, "", usageError{fmt.Errorf("deploy: %w", err)}
	}
	return a, path, nil
}

// welcome asks every machine whether it would take the artifact, while nothing is drained yet.
func (v *survey) welcome(ctx context.Context) error {
	if v.artifact == nil {
		return nil
	}
	ms := v.fleet.Machines()
	errs := make([]error, len(ms))
	together(len(ms), func(i int) {
		_, errs[i] = v.pool.Run(ctx, ms[i].Host, remote.Command{Line: v.artifact.Welcome(), Within: v.site.cfg.SSH.Timeout})
	})
	if err := errors.Join(errs...); err != nil {
		return refusedError{err}
	}
	return nil
}
