package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newReportCommand(e *env) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "One run, told from its journal: text, JSON, Markdown, HTML or JUnit",
		Long: `One run, told from its journal, the newest where none is named: what was done, by whom and when, how long each step took, the sessions that ended
by themselves and those that were cut, what was tried again, what somebody else had changed, who asked for what, and how it ended. It reads the
journals only, and may be asked while the run goes on.

html is one file that needs nothing beside itself; junit has one test case a step, for GitLab and Jenkins; markdown is for GitHub's step summary.

` + exitCodes,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("rollout report takes one run, and got %s too", word(args[1]))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.run = args[0]
			}
			return runReport(e, o)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// reportFormats are the forms a report has.
var reportFormats = []string{"text", "json", "markdown", "html", "junit"}

type reportOptions struct{ run, format, to, lang string }

func (o *reportOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "", strings.Join(reportFormats[:4], ", ")+" or "+reportFormats[4]+" (default text, or what --output says)")
	f.StringVar(&o.to, "to", "", "write the report to `FILE`, whole or not at all")
	f.StringVar(&o.lang, "lang", string(view.English), "the `LANGUAGE` of its sentences: en or zh-CN; what machines and steps have said stays as it was")
}

func (o *reportOptions) check(e *env) error {
	switch {
	case o.format != "" && !slices.Contains(reportFormats, o.format):
		return usagef("--format %s: it is %s or %s", word(o.format), strings.Join(reportFormats[:4], ", "), reportFormats[4])
	case o.format != "" && !e.text() && o.format != e.flags.output:
		return usagef("--format %s and --output %s: say one of them", o.format, e.flags.output)
	}
	if l := view.Lang(o.lang); l != view.English && l != view.Chinese {
		return usagef("--lang %s: it is %s or %s", word(o.lang), view.English, view.Chinese)
	}
	return checkRun("report", o.run)
}

func runReport(e *env, o reportOptions) error {
	if err := o.check(e); err != nil {
		return err
	}
	s, err := e.bystander()
	if err != nil {
		return err
	}
	d, damage, err := s.report(o.run, view.Lang(o.lang))
	if err != nil {
		return err
	}
	if o.to == "" {
		return errors.Join(damage, e.report(e.stdout, d, o.format))
	}
	var b bytes.Buffer
	if err := e.report(&b, d, o.format); err != nil {
		return err
	}
	if err := replaceFile(o.to, b.Bytes()); err != nil {
		return errors.Join(damage, usageError{fmt.Errorf("--to: %w", err)})
	}
	return damage
}

// report gives the document of a run, the newest where none is named. damage is what is wrong with its journal, of which the document tells what comes
// before that.
func (s *site) report(id string, l view.Lang) (d view.ReportDoc, damage, err error) {
	if id == "" {
		newest, ok, err := journal.Latest(s.dir)
		if err != nil {
			return d, nil, err
		}
		if !ok {
			return d, nil, refusedf("no rollout of %s has been started yet: there is nothing to report", s.cfg.Service)
		}
		id = newest
	}
	events, damage := journal.Read(s.dir, id)
	if errors.Is(damage, fs.ErrNotExist) {
		return d, nil, usagef("there is no run %s of %s; `rollout history` lists them", id, s.cfg.Service)
	}
	if damage != nil && plans.Fold(slices.Values(events)).Plan.ID == "" {
		return d, nil, damage
	}
	alive, err := s.alive(id)
	if err != nil {
		return d, damage, err
	}
	o := view.ReportOptions{Alive: alive, Past: s.past(id), Lang: l}
	if damage != nil {
		o.Damage = damage.Error()
	}
	return view.ReportOf(events, o), damage, nil
}

// report writes a report in one of its forms; where none is named, in the one that --output says.
func (e *env) report(w io.Writer, d view.ReportDoc, format string) error {
	switch format {
	case "markdown":
		return view.ReportMarkdown(w, d)
	case "html":
		return view.ReportHTML(w, d)
	case "junit":
		return view.ReportJUnit(w, d)
	case "json":
		return writeJSON(w, d, "  ")
	}
	if e.text() {
		return view.ReportText(w, d, e.width)
	}
	inner := *e
	inner.stdout = w
	return inner.document(d)
}

// replaceFile puts data into a file in one move: who reads it meanwhile finds what was there before, or all of the new. A device or a pipe is written to.
func replaceFile(path string, data []byte) error {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o600)
	}
	part := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // G302: a CI's collector, another user, reads it: the umask decides
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
