// Package config turns rollout.yaml into plain values, and tells everything
// that is wrong with it at once.
//
// Load reads the file and Parse the bytes; both give a Config, or *Faults: each
// with file, line, column, the source line, a caret and, where one can be
// guessed, what was meant. Config.Fleet makes the two groups of it.
// Config.Marshal writes a file that Parse accepts, and Schema describes the
// file to editors.
//
// The structs are the only description of the file: their tags hold each key,
// its default, its range and its form; the decoder, the writer and the JSON
// Schema all read them, so a new key is one new field. The comments of the
// fields become the descriptions in the schema. In the tags
//
//	yaml        is the key,
//	jsonschema  holds required, enum, minimum, maximum and default,
//	is          names the form of a text (form.go),
//	expand      allows ${NAME} in it,
//	bare        marks the field that a lone value stands for, so that
//	            `ulb: ulb-x` is `ulb: {id: ulb-x}`.
//
// The package must not know what is done with the values: it opens no
// connection, reads no other file and looks up no host.
package config
