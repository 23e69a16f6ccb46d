#!/bin/sh
# Starts, stops and shows the game on this machine: one gate process and one connector process,
# or one of each per port where game.conf says SPLIT=1.
# usage: game.sh start|stop|status
#   start   exit 0 when every port listens; 1 with the last lines of the log when a process died or came too late
#   stop    exit 0 when nothing is left; TERM first, KILL after $KILL_AFTER seconds
#   status  exit 0 all run, 3 none, 4 some
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# MACHINE GROUP HOST GATES CONNECTORS SPLIT RUN LEASE START_WITHIN KILL_AFTER, and `program`, which becomes the game's program
. "$here/game.conf" || exit 1
run=$RUN log=$here/log faults=$here/../faults

note() { printf '%s %s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$verb" "$$" "$1" >>"$log/acts.log"; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }
deadline() { echo $(($(date +%s) + $1)); }
late() { [ "$(date +%s)" -gt "$1" ]; } # -gt: whole seconds are rounded down, and no limit may be shorter than said

# alive PID: it runs, and it is one of ours; by its arguments, since the number may by now be somebody else's.
# A process that is ending loses its arguments before its sockets: it counts as alive until all its threads are gone,
# or the next start would find the ports in use. A zombie does not count.
alive() {
	kill -0 "$1" 2>/dev/null || return 1
	if [ -r /proc/self/cmdline ]; then
		args=$({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null)
		[ -n "$args" ] || { ending "$1"; return; }
	else
		args=$(ps -ww -o args= -p "$1" 2>/dev/null)
	fi
	case $args in *"$run"*) return 0 ;; *) return 1 ;; esac
}
ending() {
	what='' threads=''
	while read -r key value _; do
		case $key in State:) what=$value ;; Threads:) threads=$value ;; esac
	done 2>/dev/null <"/proc/$1/status" || return 1
	case $what$threads in '' | Z1 | X*) return 1 ;; esac
}

# each COMMAND: runs COMMAND name role ports for every process that belongs on this machine.
each() {
	if [ "$SPLIT" = 1 ]; then
		for port in $GATES; do "$1" "gate-$port" gate "$port"; done
		for port in $CONNECTORS; do "$1" "connector-$port" connector "$port"; done
	else
		[ -z "$GATES" ] || "$1" gate gate "$GATES"
		[ -z "$CONNECTORS" ] || "$1" connector connector "$CONNECTORS"
	fi
}

# planted FAULT: is it there? One that says "once" is gone after that. Its text is in $detail.
planted() {
	[ -e "$faults/$1" ] || return 1
	detail=
	read -r detail <"$faults/$1" || :
	[ "$detail" != once ] || rm -f "$faults/$1"
	return 0
}

hang() { program --role gate --fault hang-before-listen --lease "$LEASE"; }

spawn() { # name role ports
	set -- "$1" --detach --run "$run" --name "$1" --role "$2" --ports "$3" --machine "$MACHINE" --group "$GROUP" --host "$HOST" \
		--peers "$here/peers" --release-file "$release" --lease "$LEASE" --start-delay "$delay" --fault "$fault"
	name=$1
	shift
	if [ -n "$keep_output" ]; then
		program "$@" 2>>"$log/$name.log" </dev/null &
	else
		program "$@" >>"$log/$name.log" 2>&1 </dev/null &
	fi
	echo "$!" >>"$run/$name.pid"
	started="$started $name:$!"
}

give_up() { # name reason
	echo "game.sh: $1 on $MACHINE $2" >&2
	tail -n 5 "$log/$1.log" >&2
	exit 1
}

prune() { # forgets what no longer runs
	for file in "$run"/*.pid; do
		[ -e "$file" ] || continue
		kept=
		for pid in $(cat "$file"); do
			if alive "$pid"; then kept="$kept $pid"; else rm -f "$run"/*."$pid".ready; fi
		done
		if [ -n "$kept" ]; then printf '%s\n' $kept >"$file"; else rm -f "$file"; fi
	done
}

start() {
	if planted start-noop; then echo "started"; return 0; fi
	if planted start-fails; then echo "game.sh: $MACHINE: no start today: a planted fault" >&2; return 1; fi
	if planted start-hangs; then hang; fi
	release=$here/RELEASE delay=0s fault=none keep_output= started=
	if planted slow-start; then delay=${detail:-3s}; fi
	if planted old-release; then release=$faults/old-release; fi
	if planted start-keeps-output; then keep_output=1; fi
	for f in crash crash-after hang-before-listen half mute ignore-term; do
		if planted "$f"; then fault=$f=$detail; fi
	done
	prune
	each spawn
	by=$(deadline "$START_WITHIN") waiting=$started
	while [ -n "$waiting" ]; do
		nap
		left=
		for one in $waiting; do
			name=${one%:*} pid=${one##*:}
			[ ! -e "$run/$name.$pid.ready" ] || continue
			kill -0 "$pid" 2>/dev/null || give_up "$name" "died while starting"
			left="$left $one"
		done
		waiting=$left
		[ -z "$waiting" ] || ! late "$by" || give_up "$name" "does not listen after ${START_WITHIN}s"
	done
	echo "started$started"
}

left() { # the pids that still run
	for file in "$run"/*.pid; do
		[ -e "$file" ] || continue
		for pid in $(cat "$file"); do ! alive "$pid" || echo "$pid"; done
	done
}

gone() { # within seconds, nothing is left
	by=$(deadline "$1")
	while [ -n "$(left)" ]; do
		! late "$by" || return 1
		nap
	done
}

stop() {
	if planted stop-noop; then echo "stopped"; return 0; fi
	if planted stop-fails; then echo "game.sh: $MACHINE: no stop today: a planted fault" >&2; return 1; fi
	if planted stop-hangs; then hang; fi
	for pid in $(left); do kill -TERM "$pid" 2>/dev/null; done
	if ! gone "$KILL_AFTER"; then
		for pid in $(left); do
			echo "game.sh: $pid on $MACHINE does not end, killing it" >&2
			kill -KILL "$pid" 2>/dev/null
		done
		gone 5 || { echo "game.sh: $MACHINE: still running: $(left)" >&2; return 1; }
	fi
	rm -f "$run"/*.pid "$run"/*.ready
	echo "stopped"
}

look() { # name
	found=
	if [ -e "$run/$1.pid" ]; then
		for pid in $(cat "$run/$1.pid"); do
			if alive "$pid"; then found="$found $pid"; fi
		done
	fi
	running=$running$found
	[ -n "$found" ] || missing="$missing $1"
}

status() {
	running= missing=
	each look
	if [ -z "$missing" ]; then echo "running$running"; return 0; fi
	if [ -z "$running" ]; then echo "not running"; return 3; fi
	echo "running$running, missing$missing"
	return 4
}

verb=${1-}
case $verb in
start | stop)
	trap 'note "exit $?"' EXIT
	note begun
	"$verb"
	;;
status) status ;;
*)
	echo "usage: game.sh start|stop|status" >&2
	exit 2
	;;
esac
