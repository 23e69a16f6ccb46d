# Each round looks at all of /proc again, so that what is begun meanwhile is ended
# too, and a number that was given to another process is not taken for the old one.
# Between the last look at a process and its signal nothing lies but the kill
# itself.
#
# The master goes first: it would start again what ends before it.
told= killed= late=
hit() {
	mark=" $pid:$born "
	if [ -n "$late" ]; then
		signal=KILL
		case $killed in *"$mark"*) return ;; esac
	else
		signal=TERM
		case $told in *"$mark"*) return ;; esac
	fi
	[ "$type" = master ] || [ -z "$masters" ] || return
	name
	look "$pid" 2>/dev/null && [ " $pid:$born " = "$mark" ] || return
	said=$(kill -s $signal "$pid" 2>&1) || {
		[ ! -d "/proc/$pid" ] || refused="$refused$said$nl"
		return
	}
	told="$told$mark"
	[ $signal = TERM ] || killed="$killed$mark"
	printf '%s %s (pid %s, %s, of user %s)\n' "$signal" "$id" "$pid" "$type" "$user"
}

left() {
	name
	what="$what, $id (pid $pid, of user $user, state $state)"
}

now
end=$((now + grace * hz))
giveup=$((end + 10 * hz))
while :; do
	refused=
	masters=1
	scan hit
	masters=
	[ "$count" = 0 ] || scan hit
	[ "$count" != 0 ] || break
	now
	[ "$now" -lt "$end" ] || late=1
	[ "$now" -lt "$giveup" ] || break
	sleep 0.1 2>/dev/null || sleep 1
done
what=
scan left
printf 'left %s\n' "$count"
[ "$count" != 0 ] || exit 0
printf '%s%s left on this machine: %s; end them by hand, as root\n' "$refused" "$count" "${what#, }" >&2
exit 1
