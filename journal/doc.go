// Package journal keeps the events of a run on disk, in order, and holds the lock that lets one process at a time add to them.
//
// [Lock] takes a service's state directory and gives a [Store]; [Store.Begin] starts a run and [Store.Continue] takes one up
// again; [Run.Append] numbers, stamps, writes and syncs one event. What Append has acknowledged survives a kill and a loss of
// power, and who cannot append must not act. [Read], [Follow] and [Who] need no lock and disturb nobody; [Ask] leaves a request
// for the process that has it.
//
// A state directory looks like this; docs/journal.md says how to read it by hand.
//
//	lock                            held by flock(2) while a process may append: it dies with the process
//	holder.json                     who that is, for others to read
//	reserve                         64 KiB given up on a full disk, so that the last events still fit
//	runs/<id>/number                1 for the first run of the directory, 2 for the next
//	runs/<id>/journal.jsonl         one event per line, each bound to the line before it
//	runs/<id>/log/<name>.log        what remote commands printed
//	runs/<id>/asked/<time>.json     requests not yet taken
//
// The package knows lines, files and the envelope of an event. It must not know what an event means: which may follow which,
// and what is to be done about it, is for plans and steps.
package journal
