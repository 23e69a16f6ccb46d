// Package schema has the JSON Schema of every document that rollout prints, as files that are part of the program.
//
// [Names] lists them and [Of] gives one. They are made from the Go types of the documents, by a test of cmd/rollout, which also fails where
// one is stale: go test ./cmd/rollout -run Schemas -update. Beside them lie the schema of rollout.yaml, which config makes, and junit.xsd.
//
// A published schema allows fields that it does not know, since fields are added to a document without a new version of it. The package knows files
// only; who validates by them is schema/proof.
package schema
