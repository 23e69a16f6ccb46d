package pomelo

import (
	"errors"
	"fmt"
	"io/fs"
)

// Development is the environment Pomelo takes when none is named.
const Development = "development"

// source is a file as it was found: its path and the part of it that counts.
type source struct {
	path string
	root value
}

// find looks config/<name> up, else config/<env>/<name>. Of the first, where
// keyed, only the env key counts if there is a true value there; Pomelo does so
// for servers.json and master.json, not for the two admin files. An error is a
// *Fault; fs.ErrNotExist is inside it when neither file is there.
func find(files fs.FS, name, env string, keyed bool) (source, error) {
	path := "config/" + name
	data, err := fs.ReadFile(files, path)
	if errors.Is(err, fs.ErrNotExist) {
		path, keyed = "config/"+env+"/"+name, false
		data, err = fs.ReadFile(files, path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return source{}, &Fault{File: "config/" + name, Err: fmt.Errorf("no such file, and no %s: %w", path, fs.ErrNotExist)}
	case err != nil:
		return source{}, &Fault{File: path, Err: err}
	}
	root, err := parse(data)
	var s *syntaxError
	if errors.As(err, &s) {
		return source{}, &Fault{File: path, Line: s.at.line, Column: s.at.column, Err: fmt.Errorf("no JSON: %w: %w", err, ErrThrows)}
	}
	if !keyed {
		return source{path, root}, nil
	}
	if root.is == nil {
		return source{}, &Fault{File: path, Line: root.at.line, Column: root.at.column, Err: fmt.Errorf("the file is null: %w", ErrThrows)}
	}
	if o, ok := root.is.(object); ok {
		if v := o.fields[env]; truthy(v.is) {
			return source{path, v}, nil
		}
	}
	return source{path, root}, nil
}
