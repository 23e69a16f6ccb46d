// Package proof holds what rollout prints against its schemas. Only tests use it: those of cmd/rollout and of e2e.
//
// [Output] takes what a command printed with -o json or -o jsonl. It is stricter than the published schemas: a field that is not in one is a
// mistake, since it has been left out of the schema.
package proof
