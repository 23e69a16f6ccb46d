# Above this line stand the settings: dir root rest master only grace.
#
# Only /proc is read, and only the shell, grep, tr, cat and readlink are used. A
# process may end at any moment while it is looked at: what cannot be read then is
# taken for ended.
LC_ALL=C
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
nl='
'

unknown() { printf '%s\n' "$1" >&2; exit 2; }

# The release a symlink named when a process was started may not be the one it names now.
real=$(CDPATH= cd -- "$dir" 2>/dev/null && pwd -P) || real=$dir
realroot=
[ -z "$root" ] || realroot=$(CDPATH= cd -- "$root" 2>/dev/null && pwd -P) || realroot=$root

case $rest:$real in
/:"$realroot"/releases/*)
	t=${real#"$realroot"/releases/}
	rest=
	case $t in */*) rest=/${t#*/} ;; esac
	;;
esac

# ours says whether a path is the app.js of the application, in any release.
ours() {
	case $1 in
	"$dir/app.js" | "$real/app.js") return 0 ;;
	*/app.js) ;;
	*) return 1 ;;
	esac
	[ -n "$root" ] || return 1
	for r in "$root" "$realroot"; do
		case $1 in
		"$r"/releases/*/*)
			t=${1#"$r"/releases/}
			[ "/${t#*/}" != "$rest/app.js" ] || return 0
			;;
		esac
	done
	return 1
}

# words takes the argument list of process $pid, one argument a line, apart. False: not one of ours.
words() {
	script= id= type= start= before=
	case ${1##*/} in
	node*) ;;
	*)
		w=$(readlink "/proc/$pid/exe" 2>/dev/null)
		case ${w##*/} in node*) ;; *) return 1 ;; esac
		;;
	esac
	[ $# -lt 1 ] || shift
	n=0 stype= all=
	for w; do
		if [ -n "$script" ]; then
			case $w in
			id=*) id=${w#id=} n=1 ;;
			serverType=*) stype=${w#serverType=} n=1 ;;
			startId=*) start=${w#startId=} ;;
			type=*) all=${w#type=} n=1 ;;
			env=*) n=1 ;;
			esac
			continue
		fi
		case $w in
		/*) ;;
		-*) ;;
		app.js | ./app.js)
			t=$(readlink "/proc/$pid/cwd" 2>/dev/null)
			w=${t%" (deleted)"}/app.js
			;;
		esac
		! ours "$w" || { script=$w; continue; }
		# Another script comes first, unless this is the value of an option.
		case $w in
		-*=*) before= ;;
		-*) before=$w ;;
		*) [ -n "$before" ] || return 1; before= ;;
		esac
	done
	[ -n "$script" ] && [ $n = 1 ] || return 1
	type=$stype
	[ -z "$type" ] || return 0
	case $start:$all in
	master:* | :all | :master | :) type=master; id=${id:-$master} ;;
	*) type=start; id=start:${start:-$all} ;;
	esac
}

# look reads process $1: pid born state uid and what words finds. False: it is gone, or not one of ours.
look() {
	pid=$1 born= state= uid= inside=
	# A newline in an argument must not look like the end of one.
	list=$(tr '\n\000\t' '\001\n\001' 2>/dev/null <"/proc/$pid/cmdline") || return 1
	[ -n "$list" ] || return 1
	IFS=$nl; set -f
	set -- $list
	unset IFS; set +f
	words "$@" || return 1
	[ -z "$only" ] || [ "$id" = "$only" ] || [ "$id" = "start:$only" ] || return 1
	while read -r k v more; do
		case $k in
		Uid:) uid=$v ;;
		State:) state=$v ;;
		NSpid:) inside=$more ;;
		esac
	done <"/proc/$pid/status" || return 1
	# One of a container of this machine is not of this machine.
	[ -z "$inside" ] || return 1
	case $state in Z | X | x | '') return 1 ;; esac
	birth "/proc/$pid/stat"
	[ -n "$born" ]
}

# birth reads when a process began, in ticks. Its name may hold anything, even a newline and a parenthesis.
birth() {
	born= k=
	while IFS= read -r v; do k=$v; done <"$1"
	k=${k##*") "}
	set -- $k
	[ $# -lt 20 ] || { shift 19; born=$1; }
}

# now is a moment on the clock that processes are born by, also where /proc/uptime is another's: that of a process just born.
now() {
	now=$(cat /proc/self/stat) || unknown '/proc cannot be read'
	now=${now##*") "}
	set -- $now
	shift 19
	now=$1
}

# name finds the name of user $uid.
name() {
	case $names in *" $uid="*) user=${names#*" $uid="}; user=${user%% *}; return ;; esac
	user=
	while IFS=: read -r k v v1 v2; do
		[ "${v1}" != "$uid" ] || { user=$k; break; }
	done 2>/dev/null </etc/passwd
	[ -n "$user" ] || user=$(getent passwd "$uid" 2>/dev/null)
	user=${user%%:*}
	user=${user:-$uid}
	names="$names $uid=$user "
}

# candidates are the processes worth a look. Some greps read no further than the
# first NUL, which is the end of the first argument; then it is all of them.
candidates() {
	if [ -n "$deep" ]; then
		grep -l 'app[.]js' /proc/[0-9]*/cmdline 2>/dev/null
	else
		printf '%s\n' /proc/[0-9]*/cmdline
	fi
}

# scan calls $1 for each process that is ours.
scan() {
	count=0
	for f in $(candidates); do
		f=${f#/proc/}
		look "${f%/cmdline}" 2>/dev/null || continue
		count=$((count + 1))
		"$1"
	done
}

# show prints one line of the table.
show() {
	name
	age=$(((now - born) * 1000 / hz))
	[ "$age" -ge 0 ] || age=0
	printf 'process\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$pid" "$age" "$user" "$state" "$id" "$type" "$script"
}

for k in grep tr cat readlink; do
	command -v $k >/dev/null 2>&1 || unknown "there is no $k on this machine"
done
# Where others' processes are hidden, those of another user would be missed.
[ -r /proc/1/cmdline ] && [ -r /proc/self/stat ] ||
	unknown 'the processes of other users are hidden here (/proc is mounted with hidepid): mount it without, or log in as root'
deep=
printf 'node\000/app.js\000' | grep 'app[.]js' >/dev/null 2>&1 && deep=1
names=
hz=$(getconf CLK_TCK 2>/dev/null) || hz=100
