package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/schema"
)

func newSchemaCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the JSON Schema of rollout.yaml, or of a document that -o json prints",
		Long: `Print the JSON Schema of rollout.yaml, for editors. With a NAME it is that of a document that commands print with -o json, whose field schema
says rollout.NAME/v1; event is a line of the journal, as start -o jsonl prints it.

Names: ` + strings.Join(schema.Names(), ", "),
		ValidArgs: schema.Names(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("rollout schema takes one name, and got %s too", word(args[1]))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := config.Schema()
			if len(args) == 1 {
				var ok bool
				if b, ok = schema.Of(args[0]); !ok {
					return usagef("no document is called %s: %s", word(args[0]), strings.Join(schema.Names(), ", "))
				}
			}
			if err != nil {
				return err
			}
			_, err = e.stdout.Write(b)
			return err
		},
	}
}
