# Above this line stand the settings: ranges filter bind bindhex interval few pairs
# share young.
#
# Three parts, joined by one pipe so that they end together: a ticker (a
# shell), which also lets the kernel tell of sockets that went; one awk, which
# remembers what it saw and decides when to count; and ss, or the tables in
# /proc where there is no ss. Nothing is written to disk. When the channel is
# gone the awk dies of its next line, the ticker of its next tick, and the
# ticker takes ss -E with it. Where SIGPIPE is ignored busybox awk would live
# on, so the ticker itself also writes to the channel now and then: an empty line.
{
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

step=0.1
sleep 0.1 2>/dev/null || step=1

have() { command -v "$1" >/dev/null 2>&1; }

have awk || { echo 'none there is no awk on this machine'; exit 1; }
how=proc
have ss && how=ss

# mawk waits for a whole buffer of ticks unless it is told not to.
awk=awk
case $(awk -W version 2>&1 </dev/null) in
mawk*) awk='awk -W interactive' ;;
esac

# ss -E keeps its lines in a buffer when it writes to a pipe, so without
# stdbuf its news would come too late to be news.
tail_on() {
	[ -z "$tail" ] && have stdbuf || return 0
	stdbuf -oL ss -E -t -n "$filter" </dev/null 3>&- &
	tail=$!
}

# The kill is only for a child of this shell: ss may be long gone by itself,
# and its number another's.
tail_off() {
	[ -n "$tail" ] || return 0
	if read -r _ _ _ parent _ <"/proc/$tail/stat" && [ "$parent" = "$me" ]; then
		kill "$tail"
	fi
	tail=
}

ticks() {
	tail=
	read -r me _ </proc/self/stat
	trap tail_on USR1
	trap tail_off USR2
	trap 'tail_off; exit 0' PIPE HUP INT TERM
	echo "ticker $me"
	n=0
	while echo tick; do
		n=$((n + 1))
		[ $((n % 10)) -ne 0 ] || echo >&3 || break
		sleep "$step" 3>&- || break
	done
	tail_off
}

exec 3>&1
ticks 2>/dev/null </dev/null | $awk \
	-v ranges="$ranges" -v filter="$filter" -v bind="$bind" -v bindhex="$bindhex" \
	-v interval="$interval" -v few="$few" -v pairs="$pairs" \
	-v share="$share" -v young="$young" -v how="$how" '
# now is the clock of this machine since its boot, in ms.
function now(    l, a) {
	getline l < "/proc/uptime"
	close("/proc/uptime")
	split(l, a, " ")
	return a[1] * 1000
}

# cpu is what this awk and the children it waited for have used, in ms.
function cpu(    l, a) {
	l = ""
	getline l < "/proc/self/stat"
	close("/proc/self/stat")
	sub(/^.*\) /, "", l)
	split(l, a, " ")
	return (a[12] + a[13] + a[14] + a[15]) * 10
}

# established is CurrEstab: of the whole machine, but nearly free.
function established(    l, a, n, i, at, v) {
	v = -1
	while ((getline l < "/proc/net/snmp") > 0) {
		n = split(l, a, " ")
		if (a[1] != "Tcp:") continue
		if (a[2] == "RtoAlgorithm") {
			for (i = 2; i <= n; i++) if (a[i] == "CurrEstab") at = i
		} else if (at) v = a[at] + 0
	}
	close("/proc/net/snmp")
	return v
}

# add takes one socket into the count, once however often it is shown. While
# there are few, a session is a socket that was there at a count at least
# young ms ago and has been since: a probe of the balancer is gone by then. One
# count that did not show it is forgiven, since the tables of /proc may skip a
# line while they change. Where there is no count to compare with, every socket
# is taken for a session.
function add(socket) {
	if (small && (socket in seen)) {
		if (seen[socket] == turn) return
		if (moment - born[socket] >= young) stayed++
	} else if (small) born[socket] = remembered ? moment : moment - young
	sockets++
	if (sockets > pairs) small = 0
	if (small) seen[socket] = turn
}

function plain(addr) {
	gsub(/[][]/, "", addr)
	sub(/%.*$/, "", addr)
	sub(/^::ffff:/, "", addr)
	return addr
}

# by_ss counts with ss, and is false where ss said anything but sockets.
function by_ss(    cmd, l, a, n, i, whole, port) {
	cmd = "ss -t -n state established " quote filter quote " 2>&1 </dev/null && echo whole"
	fault = ""
	while ((cmd | getline l) > 0) {
		n = split(l, a, " ")
		i = a[1] == "ESTAB" ? 2 : 1
		if (l == "whole") whole = 1
		else if (n >= i + 3 && a[i] ~ /^[0-9]+$/ && a[i+1] ~ /^[0-9]+$/) {
			port = a[i+2]
			sub(/^.*:/, "", port)
			sub(/:[0-9]+$/, "", a[i+2])
			if (!(port in want)) continue
			if (bind != "" && plain(a[i+2]) != bind) continue
			add(plain(a[i+2]) ":" port " " a[i+3])
		} else if (l !~ /Recv-Q/ && fault == "") fault = l == "" ? "an empty line" : l # the first: an empty line after it must not hide it
	}
	close(cmd)
	if (!whole && fault == "") fault = "ss ended early"
	return fault == ""
}

function ours(addr) {
	return bindhex == "" || addr == bindhex || addr == "0000000000000000FFFF0000" bindhex
}

# table reads one of the two tables of /proc; with top only its listening
# part, which comes first and is short. -1: it cannot be read.
function table(file, top,    l, a, p, r) {
	r = (getline l < file)
	if (r > 0) while ((getline l < file) > 0) {
		# Most lines of a busy machine are of neither state.
		if (l !~ /^ *[0-9]+: [0-9A-F:]+ [0-9A-F:]+ 0[1A] /) {
			if (top) break
			continue
		}
		split(l, a, " ")
		if (top && a[4] != "0A") break
		split(a[2], p, ":")
		if (!(p[2] in wanthex)) continue
		if (a[4] == "01") { if (ours(p[1])) add(a[2] " " a[3]) }
		else if (ours(p[1]) || p[1] ~ /^0+$/) listens[p[2]] = 1
	}
	close(file)
	return r > 0 ? 1 : -1
}

function tables(top,    four, six, k, n) {
	split("", listens)
	four = table("/proc/net/tcp", top)
	six = table("/proc/net/tcp6", top)
	if (four < 0 && six < 0) return -1
	for (k in listens) n++
	return n + 0
}

function forget() {
	split("", seen)
	split("", born)
	remembered = 0
}

function begin() {
	turn++
	sockets = 0
	stayed = 0
	small = 1
}

# count makes a full count and tells of it.
function count(    used, gauge, listening, ok, k, sessions, mode, cost, next_in) {
	moment = now()
	used = cpu()
	gauge = established()
	begin()
	if (how == "ss") {
		ok = by_ss()
		if (ok) listening = tables(1)
		else { how = "proc"; forget(); begin() }
	}
	if (how == "proc") {
		listening = tables(0)
		ok = listening >= 0
	}
	if (!ok) {
		print "none neither ss nor /proc/net/tcp can be read on this machine" (fault == "" ? "" : ": " fault)
		fflush()
		exit 1
	}
	sessions = sockets
	mode = "plain"
	if (small && remembered) { sessions = stayed; mode = "paired" }
	if (small) { for (k in seen) if (seen[k] < turn - 1) { delete seen[k]; delete born[k] } }
	else forget()
	remembered = small
	counted = moment
	before = gauge
	asked = 0
	cost = cpu() - used
	if (cost < 0) cost = 0
	debt += cost
	next_in = interval
	if (debt * 100 / share > next_in) next_in = debt * 100 / share
	done++
	printf "full %d %d %d %d %d %d %.0f %s %s\n", done, sessions, sockets, listening, cost, next_in, moment, mode, how
	fflush()
	follow(sessions)
}

# follow has ss -E run while few are left: its events only make a count come
# earlier, since events may come late or not at all.
function follow(sessions) {
	if (ticker == "" || how != "ss") return
	if (!tail && sessions > 0 && sessions <= few) { tail = 1; system("kill -USR1 " ticker) }
	else if (tail && (sessions == 0 || sessions > 4 * few)) { tail = 0; system("kill -USR2 " ticker) }
}

# look counts if a count is due and affordable. debt is the ms of processor
# time used for counting, less share percent of the time gone by; it may be 40 ms
# ahead.
function look(    t, n) {
	t = now()
	debt -= (t - paid) * share / 100
	if (debt < -40) debt = -40
	paid = t
	n = established()
	if (debt <= 0 && (asked || n != before || t - counted >= interval)) count()
	if (t - told >= 1000) tell(n)
}

function tell(n) {
	told = now()
	printf "gate %d %d %.0f\n", done, n, told
	fflush()
}

BEGIN {
	quote = "\047"
	n = split(ranges, r, " ")
	for (i = 1; i <= n; i++) {
		last = split(r[i], ends, "-")
		for (p = ends[1] + 0; p <= ends[last] + 0; p++) { want[p ""] = 1; wanthex[sprintf("%04X", p)] = 1 }
	}
	interval += 0; few += 0; pairs += 0; share += 0; young += 0
	paid = now()
	debt = -40
	done = 0
	asked = 1
	tell(established())
}

$1 == "tick" { look(); next }
$1 == "ticker" && $2 ~ /^[0-9]+$/ { ticker = $2; next }

# Anything else is an event of ss -E.
{ asked = 1; look() }
' 3>&-
exit 0
}
