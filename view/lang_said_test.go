package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// TestWhatTheRunSaysOfItselfIsSaidInChinese: the sentences are those of package steps, word for word.
func TestWhatTheRunSaysOfItselfIsSaidInChinese(t *testing.T) {
	for en, want := range map[string]string{
		"every backend is as it was found": "所有后端恢复原状",
		"every backend this run had changed is as it was found; 2 changed by somebody else are left as they are":                           "本次更新改动过的后端都恢复原状；2 个被别人改动的保持不动",
		"every backend this run had changed is as it was found, but for 1 left closed: b-1 (10.9.0.1:6150), since connect: refused; twice": "本次更新改动过的后端都恢复原状，例外：1 个保持关闭：b-1 (10.9.0.1:6150)，原因：connect: refused; twice",
		"all new connections go to group1, which is healthy":                                                                               "新连接全部进 group1，该组健康",
		"both groups take new connections and are healthy":                                                                                 "两组都在接新连接，都健康",
		"no group is proven to take new connections; machines of group2, which is not proven well, take new connections, too":              "未能证实有哪一组在接新连接；未证实正常的 group2 也有机器在接新连接",
		"asked by wang@desk":                        "由 wang@desk 要求",
		"7 sessions left on group2 at the deadline": "到截止时 group2 还剩 7 条长连接",
		"6 sessions left on group2 at the deadline, and 2 cut already, more than the cut_budget of 6":    "到截止时 group2 还剩 6 条长连接，已掐断 2 条，超过 cut_budget 的 6",
		"7 sessions left on group2 at the deadline, more than the cut_budget of 0":                       "到截止时 group2 还剩 7 条长连接，超过 cut_budget 的 0",
		"group2 answers; it must go on for 1m30s":                                                        "group2 已应答；还须持续 1 分 30 秒",
		"group1, which serves, is hurt (backend b-1 (10.9.0.1:6150) is off): group2 is opened again":     "正在服务的 group1 受损（后端 b-1（10.9.0.1:6150）已关闭）：重新开启 group2",
		"asked by wang@desk; every backend is as it was found":                                           "由 wang@desk 要求；所有后端恢复原状",
		"restart group2: exit 1: EADDRINUSE; asked by wang@desk":                                         "restart group2: exit 1: EADDRINUSE；由 wang@desk 要求",
		"start on game-5: exit 1: cannot; every backend of the pool is as it was found by nobody; stop":  "start on game-5: exit 1: cannot; every backend of the pool is as it was found by nobody; stop",
		"Error: all new connections go to group1, which is healthy, said the machine that printed this ": "Error: all new connections go to group1, which is healthy, said the machine that printed this ",
		"": "",
	} {
		if got := Chinese.Said(en); got != want {
			t.Errorf("%q:\ngot  %q\nwant %q", en, got, want)
		}
		if got := English.Said(en); got != en {
			t.Errorf("%q becomes %q in English", en, got)
		}
	}
}

// TestARunsOwnWordsAreDrawnInChinese: in the log, in what it waits for, and in how it ended.
func TestARunsOwnWordsAreDrawnInChinese(t *testing.T) {
	back := find(t, "aborted").tale
	if got := Chinese.outcome(back.s); !strings.HasSuffix(got, "；所有后端恢复原状") {
		t.Errorf("got %q", got)
	}
	all := strings.Join(told(Chinese, back), "\n") + strings.Join(told(Chinese, find(t, "paused").tale), "\n")
	for _, want := range []string{"由 wang@desk 要求：所有后端恢复原状", "到截止时 group2 还剩 7 条长连接，超过 cut_budget 的 0："} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	w := begin(t, usualSetting().plan())
	w.through(4)
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Noted, Note: "group2 answers; it must go on for 10s"})
	if got, _, _ := Chinese.Doing(w.s); got != "group2 已应答；还须持续 10 秒" {
		t.Errorf("got %q", got)
	}
}

// TestTheSentencesThatAreTranslatedAreThoseOfTheSteps: one that was worded anew there would stay English here.
func TestTheSentencesThatAreTranslatedAreThoseOfTheSteps(t *testing.T) {
	files, err := filepath.Glob("../steps/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var source strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	for _, s := range ours {
		if !strings.Contains(source.String(), longest(s.en)) {
			t.Errorf("package steps does not say %q of %q", longest(s.en), s.en)
		}
	}
}

// longest gives the longest piece of a sentence that has no gap.
func longest(sentence string) string {
	most := ""
	for _, part := range regexp.MustCompile("%[ds]|, but for").Split(sentence, -1) {
		if len(part) > len(most) {
			most = part
		}
	}
	return strings.Trim(most, " ();:,")
}
