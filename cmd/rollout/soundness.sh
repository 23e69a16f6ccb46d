# Above this line stand the settings: tools, sudo; the directories are the arguments. It changes nothing.
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

lines=0
# say prints one fact: words, a tab between each two, and of a word of several lines the first.
say() {
	text=
	for w; do text="$text	$w"; done
	printf '%s\n' "${text#?}" | {
		IFS= read -r text
		printf '%s\n' "$text"
	}
	lines=$((lines + 1))
}

# clock: not every date knows fractions, and one that does not leaves the letter.
clock() { say clock "$(date +%s.%N 2>/dev/null)"; }

# left prints the column before the percentage of df, whose first column may hold spaces.
left() { df "$@" 2>/dev/null | awk 'NR > 1 { for (i = 3; i <= NF; i++) if ($i ~ /^[0-9]+%$/) { print $(i - 1); exit } }' 2>/dev/null; }

clock
for t in $tools; do
	command -v "$t" >/dev/null 2>&1 && continue
	[ "$t" != ss ] || [ ! -r /proc/net/tcp ] || continue
	say missing "$t"
done
[ -r /proc/sys/kernel/random/boot_id ] || say missing /proc
say self "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) $(readlink /proc/self/ns/net 2>/dev/null) $(stat -c %d:%i "$HOME" 2>/dev/null)"
[ -w "$HOME" ] || say sealed "$HOME"
for d in "$HOME" "$@"; do
	at=$d
	# What is not there yet will be made on the disk of what is.
	until [ -e "$at" ] || [ "${at%/*}" = "$at" ]; do at=${at%/*}; done
	[ -n "$at" ] || at=/
	say disk "$d" "$(left -Pk -- "$at")" "$(left -Pi -- "$at")"
done
if [ -n "$sudo" ] && command -v sudo >/dev/null 2>&1 && ! said=$(sudo -n true 2>&1 </dev/null); then
	# Whoever may run the commands of the service only is refused true, and is shown what it may.
	sudo -n -l 2>/dev/null </dev/null | {
		while IFS= read -r may; do
			case $may in *NOPASSWD:*"$sudo"* | *"NOPASSWD: ALL"*) exit 0 ;; esac
		done
		exit 1
	} || say sudo "$said"
fi
clock
printf 'end\t%s\n' "$lines"
