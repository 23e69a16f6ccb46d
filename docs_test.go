package rollout_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// oneLanguage are the pages that exist in English only.
var oneLanguage = []string{"docs/track-record.md"}

// other gives the page in the other language: docs/check.md, docs/zh-CN/check.md.
func other(page string) string {
	dir, file := path.Split(page)
	switch {
	case page == "README.md":
		return "README.zh-CN.md"
	case page == "README.zh-CN.md":
		return "README.md"
	case dir == "docs/zh-CN/":
		return "docs/" + file
	}
	return dir + "zh-CN/" + file
}

// pages gives every English page that has a Chinese one.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("docs/*.md")
	if err != nil || len(all) == 0 {
		t.Fatalf("docs: %d pages, %v", len(all), err)
	}
	all = slices.DeleteFunc(all, func(p string) bool { return slices.Contains(oneLanguage, p) })
	return append(all, "README.md")
}

// document is what two languages of a page must have in common.
type document struct {
	headings []string // the signs of each: ##
	anchors  []string // where links may lead
	blocks   []string // of code
	rows     []int    // of each table
	links    []string // where to, as English pages of this repository
	code     []string // in a line
	items    int      // of lists
	parts    int      // lines of text with an empty one before: paragraphs, lists, tables, headings
	prose    []string // lines that are none of code and anchors
}

var (
	heading = regexp.MustCompile(`^(#+) (.*)$`)
	anchor  = regexp.MustCompile(`^<a id="([^"]*)"></a>$`)
	item    = regexp.MustCompile(`^ *([-*]|\d+\.) `)
	link    = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)`)
	inline  = regexp.MustCompile("`([^`]+)`")
)

// read takes a page apart.
func read(t *testing.T, page string) document {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	table, block, empty := false, false, true
	var text []string
	for l := range strings.Lines(string(b)) {
		l = strings.TrimRight(l, "\n")
		if fence := strings.HasPrefix(strings.TrimSpace(l), "```"); fence || block {
			if fence && !block {
				d.blocks = append(d.blocks, "")
			}
			d.blocks[len(d.blocks)-1] += l + "\n"
			if fence {
				block = !block
			}
			continue
		}
		if m := heading.FindStringSubmatch(l); m != nil {
			d.headings, d.anchors = append(d.headings, m[1]), append(d.anchors, slug(m[2]))
		}
		if m := anchor.FindStringSubmatch(l); m != nil {
			d.anchors = append(d.anchors, m[1])
			continue
		}
		row := strings.HasPrefix(l, "|")
		if row && !table {
			d.rows = append(d.rows, 0)
		}
		if table = row; row {
			d.rows[len(d.rows)-1]++
		}
		if item.MatchString(l) {
			d.items++
		}
		if empty && l != "" {
			d.parts++
		}
		empty = l == ""
		text = append(text, l)
	}
	d.prose = text
	whole := strings.Join(text, "\n")
	for _, m := range inline.FindAllStringSubmatch(whole, -1) {
		d.code = append(d.code, strings.Join(strings.Fields(m[1]), " "))
	}
	for _, m := range link.FindAllStringSubmatch(whole, -1) {
		d.links = append(d.links, target(page, m[1]))
	}
	slices.Sort(d.links)
	return d
}

// slug gives the anchor that is made of a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// target gives where a link of a page leads, from the top of the repository, and its anchor.
func target(page, to string) string {
	if strings.Contains(to, "://") {
		return to
	}
	file, part, _ := strings.Cut(to, "#")
	if file == "" {
		file = path.Base(page)
	}
	if file = path.Join(path.Dir(page), file); part != "" {
		file += "#" + part
	}
	return file
}

// inEnglish gives where a link of a Chinese page would lead in its English one.
func inEnglish(link string) string {
	file, part, found := strings.Cut(link, "#")
	if file == "README.zh-CN.md" || strings.HasPrefix(file, "docs/zh-CN/") {
		file = other(file)
	}
	if found {
		file += "#" + part
	}
	return strings.Replace(file, "-zh.png", ".png", 1) // a picture of the page in Chinese
}

func TestEveryPageExistsInBothLanguages(t *testing.T) {
	for _, en := range pages(t) {
		if _, err := os.Stat(other(en)); err != nil {
			t.Errorf("%s has no page in Chinese: %v", en, err)
		}
	}
	chinese, err := filepath.Glob("docs/zh-CN/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, zh := range chinese {
		if _, err := os.Stat(other(zh)); err != nil || slices.Contains(oneLanguage, other(zh)) {
			t.Errorf("%s has no page in English: %v", zh, err)
		}
	}
}

func TestAReadmeNamesTheOtherLanguageFirst(t *testing.T) {
	for file, want := range map[string]string{
		"README.md": "English | [简体中文](./README.zh-CN.md)\n", "README.zh-CN.md": "[English](./README.md) | 简体中文\n",
	} {
		if b, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s does not begin with %q: %v", file, want, err)
		}
	}
}

func TestBothLanguagesOfAPageSayTheSame(t *testing.T) {
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			if _, err := os.Stat(other(page)); err != nil {
				t.Skip("another test says so")
			}
			en, zh := read(t, page), read(t, other(page))
			if !slices.Equal(en.headings, zh.headings) {
				t.Errorf("headings %q, and %q in Chinese", en.headings, zh.headings)
			}
			if !slices.Equal(en.rows, zh.rows) {
				t.Errorf("tables of %v rows, and %v in Chinese", en.rows, zh.rows)
			}
			if en.items != zh.items || en.parts != zh.parts {
				t.Errorf("%d items of lists in %d parts, and %d in %d in Chinese", en.items, en.parts, zh.items, zh.parts)
			}
			for i := range max(len(en.blocks), len(zh.blocks)) {
				if i >= len(en.blocks) || i >= len(zh.blocks) || en.blocks[i] != zh.blocks[i] {
					t.Errorf("code block %d of %d and %d is another one in Chinese", i+1, len(en.blocks), len(zh.blocks))
					break
				}
			}
			for _, c := range en.code {
				if !slices.Contains(zh.code, c) {
					t.Errorf("%q is missing in Chinese", c)
				}
			}
			for _, c := range zh.code {
				if !slices.Contains(en.code, c) {
					t.Errorf("%q is in Chinese only", c)
				}
			}
			// the first line of a README leads to the other language, and so the two differ
			leads := func(l string) bool { return page == "README.md" && strings.HasPrefix(l, "README") }
			var links []string
			for _, l := range zh.links {
				links = append(links, inEnglish(l))
			}
			slices.Sort(links)
			if want := slices.DeleteFunc(en.links, leads); !slices.Equal(slices.DeleteFunc(links, leads), want) {
				t.Errorf("links to\n%s\nand in Chinese to\n%s", strings.Join(want, "\n"), strings.Join(links, "\n"))
			}
		})
	}
}

func TestALinkLeadsSomewhereAndStaysInItsLanguage(t *testing.T) {
	for _, en := range pages(t) {
		for _, page := range []string{en, other(en)} {
			if _, err := os.Stat(page); err != nil {
				continue
			}
			for _, l := range read(t, page).links {
				file, part, _ := strings.Cut(l, "#")
				if strings.Contains(l, "://") {
					continue
				}
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s: a link to %s: %v", page, file, err)
					continue
				}
				if part != "" && !slices.Contains(read(t, file).anchors, part) {
					t.Errorf("%s: a link to %s, where no heading is called so", page, l)
				}
				if slices.Contains(pages(t), file) && page != en && page != "README.zh-CN.md" {
					t.Errorf("%s: a link to %s, which exists in Chinese", page, file)
				}
			}
		}
	}
}

// unclosed is bold text that a Markdown reader does not see the end of: after a wide sign comes a letter at once.
var unclosed = regexp.MustCompile(`[。，；：、）！？]\*\*[\pL\pN]`)

// split is a line of Chinese that goes on in the next one: there a reader sees a blank.
var split = regexp.MustCompile(`[\p{Han}，。；：、]\n[\p{Han}]`)

func TestAChinesePageIsSetAsChineseIs(t *testing.T) {
	for _, en := range pages(t) {
		if _, err := os.Stat(other(en)); err != nil {
			continue
		}
		text := strings.Join(read(t, other(en)).prose, "\n")
		for _, bad := range append(unclosed.FindAllString(text, -1), split.FindAllString(text, -1)...) {
			t.Errorf("%s: %q", other(en), bad)
		}
	}
}

// TestChineseHasOneWordForEachThing: whoever reads a message, the dashboard and a page of the docs must see that they speak of the same thing.
func TestChineseHasOneWordForEachThing(t *testing.T) {
	words := map[string]string{ // not these, but those
		"告警": "警报", "报警": "警报", "期限": "截止时间", "自行结束，": "自然结束", "自行结束和": "自然结束", "自己结束的长连接": "自然结束", "未证明": "未证实", "未能证实流量": "未证实",
		"日志无法": "运行记录", "日志损坏": "运行记录", "只读日志": "运行记录", "日志会记下": "运行记录", "日志能": "运行记录",
	}
	files := []string{"README.zh-CN.md", "view/web/app/words.js", "cmd/rollout/tongue.go"}
	for _, pattern := range []string{"docs/zh-CN/*.md", "view/*.go", "view/live/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for not, but := range words {
			if strings.Contains(string(b), not) {
				t.Errorf("%s says %s; elsewhere it is %s", file, not, but)
			}
		}
	}
}
