# The parts of the lines that put a release on a machine. Go joins the lines of a part to one, so: a comment has a line of its
# own, and a quoted text never goes on in the next line. Before the parts stand the settings root, id, sum, keep and bad; the
# shared paths are the arguments.
#
# Names that end in .tmp are half-made, carry the pid of the shell that makes them, and are anybody's to remove who holds the
# lock. The pid is in them because a shell may be killed while its tar lives on, and must not be unpacking where the next one does.

## ask
LC_ALL=C
export LC_ALL
state=$root/.rollout

# field prints what follows a word in a REVISION, whose first line is the release and may be any word.
field() {
	[ -f "$1" ] || return 1
	{
		read -r word value
		while read -r word value; do
			[ "$word" != "$2" ] || { printf '%s\n' "$value"; return 0; }
		done
	} <"$1"
	return 1
}

# current also reads the absolute link that others make.
current() {
	to=$(readlink "$root/current" 2>/dev/null) || return 0
	to=${to%/}
	case $to in releases/*|"$root"/releases/*) printf '%s\n' "${to##*/}" ;; esac
}

# marked tells when a release with this sum was marked bad; it fails where it was not.
marked() {
	[ -f "$state/bad/$1" ] || return 1
	awk -v sum="$2" '$1 == sum || $1 == "any" { print $2 " by run " $3; found = 1; exit } END { exit !found }' <"$state/bad/$1"
}

# ours lists the releases that were unpacked here, newest first, by the number each was given: a clock may be set back. What
# somebody else has put there has no number and is nobody's to remove.
ours() {
	for r in "$root"/releases/*/REVISION; do
		n=$(field "$r" number)
		case $n in ''|*[!0-9]*) continue ;; esac
		r=${r%/REVISION}
		printf '%s %s\n' "$n" "${r##*/}"
	done | sort -rn | while read -r n r; do printf '%s\n' "$r"; done
}

# previous prefers what `current` pointed to before: the newest may have been unpacked and never served.
previous() {
	now=$(current)
	{ cat "$state/previous" 2>/dev/null; ours; } | while read -r r; do
		[ -n "$r" ] && [ "$r" != "$now" ] && [ -d "$root/releases/$r" ] || continue
		marked "$r" "$(field "$root/releases/$r/REVISION" sha256)" >/dev/null && continue
		printf '%s\n' "$r"
		break
	done
	return 0
}

## change
unset TAR_OPTIONS GZIP POSIXLY_CORRECT
run=${ROLLOUT_RUN:-}
held=
here=$root/releases/$id
tmp=$root/releases/.$id.$run.$$.tmp
gone=$root/releases/.gone.$$.tmp
link=$root/.current.$$.tmp
part=$state/$id.$run.$$

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

now() {
	date -u +%Y-%m-%dT%H:%M:%SZ
}

# born prints when a process began, in ticks; it fails where there is none, or only its corpse.
born() {
	{ IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	case $stat in [ZX]*) return 1 ;; esac
	set -- $stat
	shift 19
	printf '%s\n' "$1"
}

# holder reads the lock; lives says whether the process that took it is still there. A pid alone may be another's by now.
holder() {
	by= pid= began= booted=
	{ read -r by pid began booted <"$state/lock"; } 2>/dev/null
}

lives() {
	[ "$booted" = "$boot" ] || return 1
	[ "$began" != - ] || { kill -0 "$pid" 2>/dev/null; return; }
	[ "$(born "$pid")" = "$began" ]
}

# lock is a hard link to a file that was whole before: killed at any moment, it leaves no lock of nobody, as mkdir would.
lock() {
	boot=-
	{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
	since=$(born $$) || since=-
	mine="$run $$ $since $boot"
	printf '%s\n' "$mine" >"$state/lock.$$" || die "$state cannot be written"
	left=${ROLLOUT_LOCK_WAIT:-15}
	until [ ! -d "$state/lock" ] && ln "$state/lock.$$" "$state/lock" 2>/dev/null; do
		holder
		if [ "$by" = "$run" ] && ! lives; then
			mv -f "$state/lock.$$" "$state/lock" && break
		fi
		[ "$left" -gt 0 ] || refuse_lock
		left=$((left - 1))
		sleep 1
	done
	held=1
	rm -f "$state/lock.$$"
}

refuse_lock() {
	[ -e "$state/lock" ] || die "the lock $state/lock cannot be made: the file system must know hard links"
	what="which is still at work"
	lives || what="which has ended"
	die "run ${by:-(unknown)} holds this machine's releases since before, by its process ${pid:-(unknown)}, $what: when no rollout works here any more, rm -rf '$state/lock' on this machine"
}

# end lets go of the lock first: whoever ends us by force may not give us the time for the rest.
end() {
	code=$?
	trap - EXIT
	trap '' HUP INT TERM PIPE
	[ -z "$held" ] || [ "$(cat "$state/lock" 2>/dev/null)" != "$mine" ] || rm -f "$state/lock"
	rm -rf "$tmp" "$gone" "$link" "$part".*.tmp "$state/lock.$$" 2>/dev/null
	exit $code
}

begin() {
	case $run in ''|.*|*[!A-Za-z0-9._+-]*) die "ROLLOUT_RUN is '$run', which is no id of a run" ;; esac
	for r in "$id" "${bad:-none}"; do
		case $r in ''|.*|*[!A-Za-z0-9._+-]*) die "'$r' is no id of a release" ;; esac
	done
	[ -L "$root/current" ] || [ ! -e "$root/current" ] || die "$root/current is no link, so it cannot be switched: move what it is to $root/releases/<id> and make current a link to releases/<id>"
	mkdir -p "$root/releases" "$root/shared" "$state/bad" || die "$root cannot be written"
	trap end EXIT
	trap 'exit 1' HUP INT TERM PIPE
	lock
	for r in "$state"/lock.*; do
		born "${r##*.}" >/dev/null || rm -f "$r"
	done
	chmod -R u+rwX "$root"/releases/.*.tmp 2>/dev/null
	rm -rf "$root"/releases/.*.tmp "$root"/.current.*.tmp "$state"/*.tmp
}

# settle has the disk hold what was written. What one file system needs is not to wait for all of them.
settle() {
	sync -f "$1" 2>/dev/null || sync
}

# discard takes a release away at one stroke, so that no half of it is ever found under its name.
discard() {
	mv "$root/releases/$1" "$gone" || return 1
	chmod -R u+rwX "$gone" 2>/dev/null
	rm -rf "$gone"
}

# point switches `current`. A mv without -T would put the link into the directory that current leads to; ln -sf would first remove.
point() {
	[ "$(current)" != "$1" ] || return 0
	ln -s "releases/$1" "$link" || die "$link cannot be made"
	mv -fT "$link" "$root/current" 2>/dev/null ||
	node -e 'require("fs").renameSync(process.argv[1], process.argv[2])' "$link" "$root/current" 2>/dev/null ||
	perl -e 'rename($ARGV[0], $ARGV[1]) or exit 1' "$link" "$root/current" 2>/dev/null ||
	die "$root/current cannot be switched: that takes a mv that knows -T, or node, or perl, and leave to write in $root"
	[ "$(current)" = "$1" ] || die "$root/current was switched to $1 and points to '$(current)': somebody else has changed it"
	settle "$root"
}

## may

# refused prints why a release with this sum cannot be brought; it fails where it can.
refused() {
	if when=$(marked "$id" "$sum"); then
		printf '%s\n' "release $id was marked bad at $when: bring another one, or rm '$state/bad/$id' on this machine if it is good"
		return 0
	fi
	was=$(field "$root/releases/$id/REVISION" sha256)
	[ -d "$root/releases/$id" ] && [ "$was" != "$sum" ] || return 1
	if [ "$(current)" != "$id" ] && marked "$id" "$was" >/dev/null; then
		return 1
	fi
	printf '%s\n' "release $id is on this machine with the sha256 ${was:-(unknown)}, and the archive has $sum: give the new one a name of its own"
}

## welcome

welcome() {
	if why=$(refused); then
		printf '%s\n' "$why" >&2
		exit 1
	fi
}

## deploy
# room refuses to begin what the disk cannot hold; it is given KiB, and what for. awk counts, since a shell's numbers may be too small.
room() {
	free=$(df -P -k "$root" | awk 'NR > 1 { for (i = 3; i <= NF; i++) if ($i ~ /^[0-9]+%$/) { print $(i - 1); exit } }')
	case $free in ''|*[!0-9]*) return 0 ;; esac
	awk -v want="$1" -v free="$free" 'BEGIN { exit !(want + 0 <= free + 0) }' || die "the disk of $root has $free KiB free and $2 needs $1 KiB: make room, or keep fewer releases"
}

# receive stores what comes on standard input and believes it only when it has the right sum. An archive needs room for
# itself and, unpacked, for at least as much again.
receive() {
	size=${ROLLOUT_SIZE:-}
	case $size in *[!0-9]*) die "ROLLOUT_SIZE is '$size', not a number of bytes" ;; esac
	[ -z "$size" ] || room "$(awk -v size="$size" 'BEGIN { printf "%.0f", size / 512 + 1 }')" "release $id at least"
	cat >"$part.tar.tmp" || die "the archive of release $id could not be stored in $state"
	got=$(($(wc -c <"$part.tar.tmp")))
	[ -z "$size" ] || [ "$got" -eq "$size" ] || die "the archive of release $id was cut: $got of $size bytes came"
	is=$(sha256sum <"$part.tar.tmp") || die "the archive of release $id cannot be summed: sha256sum is needed on this machine"
	is=${is%% *}
	[ "$is" = "$sum" ] || die "the archive of release $id came with the sha256 $is and must have $sum"
}

# look refuses an archive that would write beside its own directory, by its names or through a link it brings, or make a file
# out there its own by a hard link. A symbolic link may lead anywhere: nothing is written through it, and configuration is
# often elsewhere. busybox strips such names from its list and says so.
look() {
	z=
	{ magic=$(dd if="$part.tar.tmp" bs=2 count=1); } 2>/dev/null
	[ "$magic" != "$(printf '\037\213')" ] || z=z
	tar -t${z}f - <"$part.tar.tmp" >"$part.names.tmp" 2>"$part.notes.tmp" || die "the archive of release $id is no tar archive, plain or gzip: $(tail -n 1 "$part.notes.tmp")"
	[ -s "$part.names.tmp" ] || die "the archive of release $id is empty"
	name=$(grep -E '^/|(^|/)\.\.(/|$)' "$part.names.tmp" | head -n 1)
	[ -n "$name" ] || name=$(grep 'emoving leading' "$part.notes.tmp" | head -n 1)
	[ -z "$name" ] || die "the archive of release $id has a name that is absolute or has '..', so nothing of it was unpacked: $name"
	# Line n of the long list is that of name n. busybox shows a hard link as a file, and where its target begins a name may hide: whatever
	# may be one is tried.
	tar -tv${z}f - <"$part.tar.tmp" 2>/dev/null | awk 'function tidy(s) { gsub(/\/(\.?\/)+/, "/", s); sub(/^(\.\/)+/, "", s); sub(/\/$/, "", s); return s }
		function through(s, n, dir, p, j) {
			n = split(s, dir, "/")
			for (j = 1; j < n; j++) { p = p dir[j]; if (p in link) return 1; p = p "/" }
			return 0
		}
		FNR == NR { name[FNR] = tidy($0); last = FNR; next }
		{
			rows = FNR
			size += int(($3 + 4095) / 4096) * 4
			if (/^l/) { link[name[FNR]] = 1; next }
			for (s = $0; match(s, / (link to|->) /); of[n] = name[FNR]) { s = substr(s, RSTART + RLENGTH); target[++n] = s }
		}
		END {
			printf "%.0f\n", size
			if (rows != last) { print "has a line break in a link"; exit }
			for (i = 1; i <= last; i++) if (through(name[i])) { print "writes through a link of its own: " name[i]; exit }
			for (i = 1; i <= n; i++) if (target[i] ~ /^\/|(^|\/)\.\.(\/|$)/ || through(tidy(target[i]))) { print "has a hard link to a place outside: " of[i]; exit }
		}' "$part.names.tmp" - >"$part.notes.tmp"
	kib= fault=
	{ read -r kib; read -r fault; } <"$part.notes.tmp"
	[ -z "$fault" ] || die "the archive of release $id $fault; nothing of it was unpacked"
	room "${kib:-0}" "release $id unpacked"
}

# number is one more than that of any release here.
number() {
	for r in "$root"/releases/*/REVISION; do
		field "$r" number
	done | sort -n | awk '{ n = $1 } END { print n + 1 }'
}

# unpack does without -C, in which GNU tar takes a backslash for more than it is.
unpack() {
	mkdir "$tmp" || die "$tmp cannot be made"
	(cd "$tmp" && exec tar -xo${z}f -) <"$part.tar.tmp" 2>"$part.notes.tmp" || die "the archive of release $id cannot be unpacked: $(tail -n 1 "$part.notes.tmp")"
	rm -f "$part.tar.tmp"
	chmod u+rwx "$tmp"
	rm -rf "$tmp/REVISION"
	printf '%s\nsha256 %s\nnumber %s\nunpacked %s\nrun %s\n' "$id" "$sum" "$(number)" "$(now)" "$run" >"$tmp/REVISION" || die "$tmp/REVISION cannot be written"
	for path in "$@"; do
		share "$path"
	done
	settle "$tmp"
	[ ! -d "$here" ] || discard "$id" || die "the bad release $here cannot be taken away"
	[ ! -e "$here" ] || die "$here is in the way"
	mv "$tmp" "$here" || die "$here cannot be made"
}

# share makes a path of the release a link into shared. The path must be in the release itself: a link on the way to it would have
# us remove what is elsewhere.
share() {
	up=../../
	dir=
	rest=$1
	while [ "${rest#*/}" != "$rest" ]; do
		dir=$dir/${rest%%/*}
		rest=${rest#*/}
		up=$up../
		[ ! -L "$tmp$dir" ] || die "release $id has a link at ${dir#/}, on the way to the shared path $1"
		mkdir -p "$tmp$dir" || die "release $id has no directory at ${dir#/}, on the way to the shared path $1"
	done
	start "$1" "$tmp/$1" "$root/shared/$1" || die "$root/shared/$1 cannot be made"
	rm -rf "$tmp/$1"
	ln -s "${up}shared/$1" "$tmp/$1" || die "the link for the shared path $1 cannot be made"
}

# start gives a shared path that is missing or empty what the release has there. A directory is filled in place, since it may have
# an owner and rights given by hand; `filling` tells one that was half filled from one that people have put something in.
start() {
	mkdir -p "${3%/*}" || return 1
	if [ -f "$2" ] && [ ! -L "$2" ]; then
		[ -e "$3" ] || [ -L "$3" ] || { cp -p "$2" "$part.file.tmp" && mv "$part.file.tmp" "$3"; }
		return
	fi
	[ -L "$3" ] || [ -e "$3" ] || mkdir "$3" || return 1
	[ -d "$2" ] && [ ! -L "$2" ] && [ -d "$3" ] || return 0
	[ -z "$(ls -A "$3")" ] || [ "$(cat "$state/filling" 2>/dev/null)" = "$1" ] || return 0
	printf '%s\n' "$1" >"$state/filling" || return 1
	for file in "$2"/* "$2"/.[!.]* "$2"/..?*; do
		[ ! -e "$file" ] && [ ! -L "$file" ] || cp -RpPf "$file" "$3/" || return 1
	done
	settle "$3" && rm -f "$state/filling"
}

# prune fails in silence: the release is in place, and a failure would say it is not.
prune() {
	before=$(cat "$state/previous" 2>/dev/null)
	n=0
	ours | while read -r r; do
		[ "$r" != "$id" ] && [ "$r" != "$before" ] || continue
		n=$((n + 1))
		[ "$n" -le "$keep" ] || discard "$r"
	done
	return 0
}

deploy() {
	[ "${ROLLOUT_RELEASE:-$id}" = "$id" ] || die "the archive is of release $id, and the run brings $ROLLOUT_RELEASE"
	begin
	why=$(refused) && die "$why"
	was=$(field "$here/REVISION" sha256)
	if [ -d "$here" ] && [ "$was" = "$sum" ]; then
		cat >/dev/null
	else
		receive
		look
		unpack "$@"
	fi
	before=$(current)
	if [ -n "$before" ] && [ "$before" != "$id" ]; then
		printf '%s\n' "$before" >"$part.previous.tmp" && mv -f "$part.previous.tmp" "$state/previous" || die "$state/previous cannot be written"
	fi
	point "$id"
	prune
}

## back
# back marks before it switches: killed in between, it leaves a bad release that is known to be bad. Where the bad one is not on this
# machine its sum is not known, and any archive of that name is refused.
back() {
	begin
	[ "$id" != "$bad" ] || die "release $id cannot be both the bad one and the one to go back to"
	[ -d "$here" ] || die "release $id is not on this machine, so there is nothing to go back to: ls '$root/releases' shows what is"
	when=$(marked "$id" "$(field "$here/REVISION" sha256)") && die "release $id was marked bad at $when: go back to another one"
	if [ -n "$bad" ]; then
		was=$(field "$root/releases/$bad/REVISION" sha256)
		[ -z "$was" ] && [ -f "$state/bad/$bad" ] || marked "$bad" "${was:-any}" >/dev/null ||
		printf '%s %s %s\n' "${was:-any}" "$(now)" "$run" >>"$state/bad/$bad" || die "$state/bad/$bad cannot be written"
	fi
	point "$id"
}
