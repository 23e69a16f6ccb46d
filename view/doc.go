// Package view draws a plan, a state and events: for a person, for the log of a CI job, and as JSON.
//
//   - [Plan] draws what a rollout would do, before anything is touched.
//   - [Lines] turns the events of a run into one plain line each, for a log that is only ever appended to.
//   - [Status] draws where a run is now; [Summary] says how it ended and what to type next.
//   - [Doing], [Traffic], [IfFails] and [Next] are the sentences of which these are made.
//   - [Lang] says the same sentences, and those of [Lines], in English or Chinese.
//   - [StatusOf], [ResultOf] and [PlanOf] make the documents that are printed as JSON; [JSON] prints one.
//
// Everything is drawn from [plans.State], which is the fold of the run's events, so the process that carries a run out and one
// that only watches draw the same picture. The package has no clock, no terminal and no goroutine: now, and how many columns
// there are, are arguments. It must not know how a fact was learnt, what an exit code is, or which flags there are.
//
// A glyph never stands without its word, no escape code is ever written, and no line is wider than it was asked to be. Text that
// came from a machine or an API goes through [Clean] first.
package view
