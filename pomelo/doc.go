// Package pomelo is what is known of Pomelo 2.2.7: which processes a group's
// configuration makes it start, on which machines and ports, and what in that
// configuration would keep a rollout from being safe.
//
// Most readers need Read, Cluster.Check, Cluster.Group and Isolated. Read
// looks files up and expands clusterCount and "++" as Pomelo does, oddities
// included, because a file must mean here what it means there; whatever in it
// is a mistake is a Fault that names file, line and field.
//
// List asks a master which processes it knows, Greet shakes hands with a gate or
// connector as a player does, and Ask and Directions put questions to one. Each
// is given a connection, uses it up and closes it with FIN; ParseList reads the
// command line's table where a master does not speak the protocol. A master must
// not be asked before it has registered itself, nor a gate be left with a RST:
// either can end the process.
//
// The package must not know how a machine is reached (it is given a file
// system, or a connection), what a load balancer is, or when anything is done.
package pomelo
