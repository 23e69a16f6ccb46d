package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/plans"
)

// What this build is. A release is linked with its tag and commit (packaging/build.sh), and not stamped from git by the go command, so that the
// source without its history gives the same bytes. Nothing else sets them.
var (
	version  = "0.1.0"
	revision = ""
)

// versionDoc is the result of version for programs.
type versionDoc struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	Format  int    `json:"format"` // of plans and journals
}

func newVersionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the version of the plan and journal format",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d := versionDoc{Schema: "rollout.version/v1", Version: version, Go: runtime.Version(), Format: plans.Version, Commit: commit()}
			if !e.text() {
				return e.document(d)
			}
			_, err := fmt.Fprintf(e.stdout, "rollout %s %s, format %d\n", d.Version, d.Go, d.Format)
			return err
		},
	}
}

// commit is what this build was made from, where that is known.
func commit() string {
	if revision != "" {
		return revision
	}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
