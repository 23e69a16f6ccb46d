package main

import (
	"errors"
	"os"
	"strings"
)

// jobPage is the page that GitHub shows of a job, $GITHUB_STEP_SUMMARY. It is read when the step has ended, however that was, so it is brought up to
// date while a run goes on: what this process has written last is written over, and what others have written is left alone.
type jobPage struct {
	path string
	at   int64 // where our last section begins
	mine int64 // how long it is
}

// jobPageLimit is what GitHub takes of a step; of more it takes nothing.
const jobPageLimit = 1 << 20

// put writes a section, in the place of the last one unless that was kept or others have written since.
func (p *jobPage) put(text string) (err error) {
	f, err := os.OpenFile(p.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	is, err := f.Stat()
	if err != nil {
		return err
	}
	if is.Size() != p.at+p.mine {
		p.at, p.mine = is.Size(), 0
	}
	text = fit(text, jobPageLimit-p.at)
	if _, err := f.WriteAt([]byte(text), p.at); err != nil {
		return err
	}
	p.mine = int64(len(text))
	return f.Truncate(p.at + p.mine)
}

// keep ends the last section: what is put next comes after it.
func (p *jobPage) keep() { p.at, p.mine = p.at+p.mine, 0 }

// fit leaves out the last lines of a text that there is no room for.
func fit(text string, room int64) string {
	const more = "\n…\n"
	if int64(len(text)) <= room {
		return text
	}
	room -= int64(len(more))
	if room <= 0 {
		return ""
	}
	return text[:strings.LastIndex(text[:room], "\n")+1] + more
}
