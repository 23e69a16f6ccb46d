package schema

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.json
var files embed.FS

// config is the schema of rollout.yaml, which is no document that is printed.
const config = "rollout.schema"

// Names gives the names of all documents, sorted: status is the one whose schema field says rollout.status/v1.
func Names() []string {
	all, _ := fs.Glob(files, "*.json") // the pattern is well formed
	var names []string
	for _, f := range all {
		if name := strings.TrimSuffix(f, ".json"); name != config {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Of gives the schema of a document, and false where there is none of that name.
func Of(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	b, err := files.ReadFile(name + ".json")
	return b, err == nil
}
