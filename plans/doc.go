// Package plans says what a rollout will do and what it has done.
//
// A rollout is eleven steps of five kinds, worked out before anything is touched:
//
//	 1 shift    second keeps all new connections, first takes none
//	 2 drain    first: until no session is left, or the deadline
//	 3 deploy   first: the new code (only where a deploy is configured)
//	 4 restart  first: stop, prove that nothing is left, start
//	 5 check    first: every port answers, and goes on answering
//	 6 shift    first as it was found, proven healthy; then second takes none
//	 7 drain · 8 deploy · 9 restart · 10 check   second
//	11 shift    both groups as they were found
//
// [Build] makes the [Plan], [Plan.Check] refuses one that is unsafe in any prefix, and [Retreat] makes the way out, which is
// a plan too. What happens is a sequence of [Event] values; [State] is their fold, and everything anyone sees is drawn from it.
//
// The package is pure: it has no clock, no network, no file and no goroutine. Time and ids arrive as arguments and inside
// events, so the same events always give the same state.
package plans
