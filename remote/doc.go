// Package remote runs commands on machines over ssh.
//
// A [Pool] keeps one connection to each machine and uses it for everything:
// [Pool.Run] for a command, [Pool.Once] for one that must not begin twice,
// [Pool.Stream] for one that goes on talking, [Pool.Dial] for a TCP connection
// made from the machine. [Pool.Login] opens
// all connections beforehand, so that a wrong key is found before anything is
// changed. [Quote] is the only way a value reaches a remote shell.
//
// Three rules hold throughout:
//
//   - A host key is checked always, at every hop. An unknown one is refused
//     with its fingerprint; [Pool.Scan] and [AddKnown] are for the person who
//     wants to trust it.
//   - A command is never run a second time by this package. After an error
//     [MayHaveRun] says whether it can have begun: a connection that drops does
//     not stop the command, so the caller looks before it repeats. [Pool.Once]
//     does that by itself, since the machine keeps what has begun.
//   - A command of Run that is given up is ended on the machine, with its whole
//     process group; one of Once runs on, and is ended there when its time is
//     over. What it detached from itself with setsid lives on.
//
// How a command starts: the machine's sh first makes sure that it leads a
// process group, says which, and only then is sent the script, on its standard
// input. So nothing runs before the group is known, a script cut short in
// transit is not run at all, and no value of it is ever seen in the machine's
// process list.
//
// The package must not know what the commands are for, and nothing of groups,
// plans or load balancers: a machine is a name here, a command a line.
package remote
