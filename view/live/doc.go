// Package live draws a run on a terminal, over and over, until it has stopped or the person who watches leaves.
//
//   - [Start] takes the terminal over and gives a [View]; [View.Hear] tells it what has happened and never waits.
//   - [View.Close] ends it when the run has stopped, and leaves the last picture as plain text. [View.Done] says that it has ended.
//
// It lags behind the run and cannot hold it up: what it hears lies in a mailbox, and the picture is drawn from the newest state a few times a
// second, in a goroutine of its own. A panic in here, or a terminal that has gone away, ends the view and nothing else.
//
// It draws what [view.PartsOf] and [view.StatusOf] say, in an order that does not change with the size of the terminal: which group takes
// traffic, what is left until when, sessions cut, ETA, what follows if it fails now. It must not know how a fact was learnt or how a request is
// brought to the run.
package live
