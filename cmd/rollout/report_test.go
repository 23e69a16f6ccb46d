package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestAReportHasItsForms(t *testing.T) {
	d := newDesk(t)
	d.keeps(begun()...)
	for _, row := range []struct {
		args []string
		want string // its beginning
	}{
		{nil, "Interrupted: game at step 1 of "},
		{[]string{"20260301-120000-7f3a"}, "Interrupted: game at step 1 of "},
		{[]string{"--format", "text"}, "Interrupted: game at step 1 of "},
		{[]string{"--format", "markdown"}, "## ◌ Interrupted: game at step 1 of "},
		{[]string{"--format", "html"}, "<!doctype html>\n"},
		{[]string{"--format", "junit"}, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rollout game\""},
		{[]string{"--format", "json"}, "{\n  \"schema\": \"rollout.report/v1\",\n  \"run\": \"20260301-120000-7f3a\","},
		{[]string{"--lang", "zh-CN"}, "已中断：game，在第 1/"},
		{[]string{"--format", "html", "--lang", "zh-CN"}, "<!doctype html>\n<html lang=\"zh-CN\">"},
		{[]string{"-o", "json"}, "{\n  \"schema\": \"rollout.report/v1\",\n  \"run\": \"20260301-120000-7f3a\","},
		{[]string{"-o", "jsonl"}, "{\"schema\":\"rollout.report/v1\",\"run\":\"20260301-120000-7f3a\","},
		{[]string{"-o", "yaml"}, "balancer: "},
	} {
		code, out, errs := d.types(append([]string{"report"}, row.args...)...)
		if code != 0 || !strings.HasPrefix(out, row.want) || errs != "" {
			t.Errorf("report %v: exit %d\n%s%s\nwant it to begin with %s", row.args, code, errs, out, row.want)
		}
		path := filepath.Join(d.dir, "report")
		if code, said, errs := d.types(append([]string{"report", "--to", path}, row.args...)...); code != 0 || said+errs != "" {
			t.Errorf("report --to %v: exit %d, said %s%s", row.args, code, said, errs)
		}
		if b, err := os.ReadFile(path); err != nil || strings.ReplaceAll(string(b), d.dir, "DIR") != out {
			t.Errorf("report --to %v: %v, wrote\n%s\nwant\n%s", row.args, err, b, out)
		}
	}
	left, err := os.ReadDir(d.dir)
	names := []string{}
	for _, f := range left {
		names = append(names, f.Name())
	}
	if err != nil || !slices.Equal(names, []string{"report", "rollout.yaml", "state"}) {
		t.Errorf("%v: left behind: %q", err, names)
	}
}

func TestAReportRefusesWhatItCannotTell(t *testing.T) {
	d := newDesk(t)
	d.wants(3, "rollout: no rollout of game has been started yet: there is nothing to report\n", "report")
	d.keeps(begun()...)
	for _, row := range []struct {
		want string
		args []string
	}{
		{"there is no run r1 of game; `rollout history` lists them", []string{"r1"}},
		{"report \"../r1\" is not the id of a run: it has up to 64 letters, digits and . _ - and begins with none of . and -; `rollout history` lists them", []string{"../r1"}},
		{"rollout report takes one run, and got \"r2\" too", []string{"r1", "r2"}},
		{"--format \"pdf\": it is text, json, markdown, html or junit", []string{"--format", "pdf"}},
		{"--lang \"de\": it is en or zh-CN", []string{"--lang", "de"}},
		{"--format html and --output yaml: say one of them", []string{"--format", "html", "-o", "yaml"}},
		{"--to: open DIR/none/.r.PID: no such file or directory", []string{"--to", filepath.Join(d.dir, "none", "r")}},
		{"--to: open DIR: is a directory", []string{"--to", d.dir}},
	} {
		code, out, errs := d.types(append([]string{"report"}, row.args...)...)
		errs = strings.ReplaceAll(errs, "."+strconv.Itoa(os.Getpid()), ".PID")
		if code != 2 || out != "" || errs != "rollout: "+row.want+"\n" {
			t.Errorf("report %v: exit %d, %q\n%s\nwant exit 2\n%s", row.args, code, out, errs, row.want)
		}
	}
	if code, out, errs := d.types("report", "--to", os.DevNull); code != 0 || out+errs != "" {
		t.Errorf("--to %s: exit %d, %s%s", os.DevNull, code, out, errs)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s was replaced: %v", os.DevNull, err)
	}
}

// What came before the damage is told, and that there is some.
func TestAReportOfADamagedJournalTellsWhatCameBefore(t *testing.T) {
	d := newDesk(t)
	d.keeps(begun()...)
	b, err := os.ReadFile(d.journal())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(b), "\n")
	d.write(d.journal(), lines[0]+lines[1]+lines[2]+"so far so good\n")
	for _, args := range [][]string{nil, {"--format", "markdown"}, {"--format", "html"}, {"--format", "junit"}, {"-o", "json"}} {
		code, out, errs := d.types(append([]string{"report"}, args...)...)
		if code != 1 || !strings.Contains(errs, "line 4, at byte") || !strings.Contains(out, "line 4, at byte") || !strings.Contains(out, "game") {
			t.Errorf("report %v: exit %d\n%s\n%s", args, code, errs, out)
		}
	}
}
