package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/view"
)

func newNotifyCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try who is told: DingTalk, Feishu, WeCom, Slack, webhooks",
		Long: `The receivers of notify: in rollout.yaml are told when a rollout starts, needs a person, fails or ends, by the process that carries it
out. docs/notifications.md says how to make a robot in each service.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNotifyTestCommand(e))
	return cmd
}

func newNotifyTestCommand(e *env) *cobra.Command {
	var o notifyTestOptions
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a test message to each receiver and print its answer",
		Long: `Send a test message to each receiver, whatever its on: says, and print what it answers. It is 0 only if every one has taken it; 4 where
one refuses its token, its signature or where this machine is; else 1.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runNotifyTest(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type notifyTestOptions struct{ to string }

func (o *notifyTestOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.to, "to", "", "only this `RECEIVER`: its number in rollout.yaml, from 1, or its kind, such as dingtalk")
}

// wants says whether receiver i is one of those that were asked for.
func (o notifyTestOptions) wants(i int, c config.Notify) bool {
	return o.to == "" || o.to == c.To || o.to == strconv.Itoa(i+1)
}

// notifySchema names the format of notifyDoc.
const notifySchema = "rollout.notify/v1"

// notifyDoc is the result of notify test for programs.
type notifyDoc struct {
	Schema    string        `json:"schema"` // notifySchema
	Service   string        `json:"service"`
	Receivers []receiverDoc `json:"receivers"`
}

// receiverDoc is one receiver, and what came of its test.
type receiverDoc struct {
	Number int    `json:"number"` // in rollout.yaml, from 1
	To     string `json:"to"`
	Host   string `json:"host"`
	Lang   string `json:"lang"`
	Taken  bool   `json:"taken"`
	Answer string `json:"answer"` // empty where it was not taken
	Error  string `json:"error"`  // empty where it was
}

func runNotifyTest(ctx context.Context, e *env, o notifyTestOptions) error {
	s, err := e.site()
	if err != nil {
		return err
	}
	d := notifyDoc{Schema: notifySchema, Service: s.cfg.Service, Receivers: []receiverDoc{}}
	var of []notify.Receiver
	for i, r := range receivers(s.cfg.Notify) {
		if c := s.cfg.Notify[i]; o.wants(i, c) {
			of = append(of, r)
			d.Receivers = append(d.Receivers, receiverDoc{Number: i + 1, To: c.To, Host: r.Host(), Lang: c.Lang})
		}
	}
	switch {
	case len(s.cfg.Notify) == 0:
		return usagef("rollout.yaml has no notify:, so nobody is told; docs/notifications.md shows how")
	case len(of) == 0:
		return usagef("--to %s is none of the %d receivers of rollout.yaml: it is a number from 1, or a kind such as %s", word(o.to), len(s.cfg.Notify), s.cfg.Notify[0].To)
	}
	sender, errs, now := notify.NewSender(nil), make([]error, len(of)), time.Now()
	together(len(of), func(i int) {
		r := &d.Receivers[i]
		if r.Answer, errs[i] = sender.Send(ctx, of[i], s.testMessage(now, tongue{view.Lang(r.Lang)})); errs[i] != nil {
			r.Error = view.Clean(errs[i].Error())
		}
		r.Taken = errs[i] == nil
	})
	if e.text() {
		err = d.draw(e)
	} else {
		err = e.document(d)
	}
	if err != nil {
		return err
	}
	if err := worst(errs); err != nil {
		return toldError{err}
	}
	return nil
}

// testMessage is what a test tells.
func (s *site) testMessage(now time.Time, in tongue) notify.Message {
	return notify.Message{
		ID: fmt.Sprintf("test-%d", now.UnixNano()), Kind: "test", Level: notify.Info, Lang: string(in.Lang), At: now, Service: s.cfg.Service, By: by(),
		Title: "rollout " + s.cfg.Service + ": " + in.happened(tiding{is: isTest}),
		Lines: []notify.Line{
			{Label: in.Say("What", "情况"), Text: in.Say("this is a test; no rollout has begun", "这是一条测试消息；没有开始任何更新")},
			{Label: in.Say("By", "执行者"), Text: by()},
		},
	}
}

// draw prints a line for each receiver.
func (d notifyDoc) draw(e *env) error {
	for _, r := range d.Receivers {
		said := "took it: " + r.Answer
		if !r.Taken {
			said = "DID NOT TAKE IT: " + strings.Join(strings.Fields(r.Error), " ")
		}
		if _, err := fmt.Fprintf(e.stdout, "%d  %-8s  %s  %s\n", r.Number, r.To, r.Host, view.Clean(said)); err != nil {
			return err
		}
	}
	return nil
}

// worst gives the error that decides the exit code: one that refuses who we are, else any.
func worst(errs []error) error {
	for _, err := range errs {
		if no, ok := errors.AsType[*notify.RefusedError](err); ok && no.Denied {
			return err
		}
	}
	return errors.Join(errs...)
}
