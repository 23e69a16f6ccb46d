// Package steps carries a plan out, one step after another, recording each before and after.
//
// [Run] is start and resume alike: it goes on from the state it is given. Each kind of step is a file named by its verb; each names a
// state of the world to reach, looks, acts only where the world differs, and looks again. What it needs of the world it is
// handed as [Tools]: small interfaces that strings pass through. It must not know UCloud, ssh or Pomelo, nor what a
// machine is beyond its host.
//
// Three rules hold in every file. An act is recorded before it is begun, and who cannot record does not act. A count, a reading or an
// outcome that is not known is never taken for a good one. And no act takes capacity away unless, just before it, the
// other group was seen in full service.
package steps
