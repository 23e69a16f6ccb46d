package ulb

import "io/fs"

// alone trusts the access list that a file below the user's profile inherits: mode bits say nothing here.
func alone(string, string, fs.FileInfo) error { return nil }
