# A command that begins at most once. Sent with every call, installed nowhere: once.go strips the comments, puts the
# assignments of the o_ variables and the function give, which exports the environment, before it, and the starter runs it
# from its variable s. It answers on standard output what onceanswer.go reads.
#
# It works in STATE/rollout-once/SPACE/HOST: .lock and .seen (the highest token, and the id that set it), and a directory
# for each id, in which
#   begun  token, boot id, checksum of the line, pid and start time of the keeper, time of the beginning
#   line   the command
#   shell  pid and start time of the command's shell, which leads a process group
#   late   there if its time was over: whether processes were left
#   out, err  what it printed; when that is much, its first and last part as well in .head and .tail
#   code   exit code, late or not, hundredths of a second, bytes of out and err. Written last

say() { printf '%s\n' "$*" || exit 0; }
answer() { say "$*"; say end; exit 0; }
fail() { answer "failed $(printf '%.300s' "$*" | tr '\n' ' ')"; }

need() {
  o_x=
  for o_y in flock setsid mkdir mv rm ls cat wc tr head tail dd sleep; do
    command -v "$o_y" >/dev/null 2>&1 || o_x="$o_x $o_y"
  done
  [ -r /proc/sys/kernel/random/boot_id ] || o_x="$o_x /proc"
  [ -z "$o_x" ] || answer "missing$o_x"
  read -r o_boot </proc/sys/kernel/random/boot_id
}

# unsafe is the refusal of a directory: what is wrong, and which.
unsafe() { answer "unsafe $1 $(printf '%.300s' "$2" | tr '\n' ' ')"; }

place() {
  case ${XDG_STATE_HOME-}:${HOME-} in
    /*:*) o_r=$XDG_STATE_HOME/rollout-once ;;
    *:/*) o_r=$HOME/.local/state/rollout-once ;;
    *) fail "HOME is not set" ;;
  esac
  o_b=$o_r/$o_space/$o_host
  for o_x in "$o_r" "$o_r/$o_space" "$o_b"; do
    [ ! -L "$o_x" ] || unsafe symlink "$o_x"
  done
  if [ ! -d "$o_b" ]; then
    [ "$o_as" = begin ] || answer absent
    o_x=$(mkdir -p -- "$o_b" 2>&1) || fail "$o_x"
  fi
  # From here on all is relative: what somebody does to the names above has no effect.
  cd -P -- "$o_b" 2>/dev/null || unsafe closed "$o_b"
  for o_x in "$o_r" "$o_r/$o_space" "$PWD"; do
    [ -O "$o_x" ] || unsafe owner "$o_x"
  done
  o_y=$(ls -ldn -- "$o_r" "$o_r/$o_space" "$PWD")
  set -f
  IFS='
'
  o_n=0
  for o_x in $o_y; do
    case $o_x in
      drwx--[-S]---*) o_n=$((o_n + 1)) ;;
      *) unsafe mode "/${o_x#*/}" ;;
    esac
  done
  [ $o_n = 3 ] || unsafe closed "$o_b"
  set +f
  unset IFS
}

# since sets o_since to the start time of a process, and o_group to its group. It is false for one that is no more, or
# that nobody has reaped.
since() {
  { IFS= read -r o_x <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- ${o_x##*) }
  [ $# -ge 20 ] || return 1
  case $1 in [ZX]) return 1 ;; esac
  o_group=$3
  shift 19
  o_since=$1
}

# phase sets o_phase of the attempt in a directory.
phase() {
  o_phase=absent
  [ -d "$1" ] || return 0
  o_phase=finished
  [ ! -f "$1/code" ] || return 0
  o_phase=rebooted
  read -r o_x o_y o_z o_keeper o_kept o_x <"$1/begun" || fail "$1/begun cannot be read"
  [ "$o_y" = "$o_boot" ] || return 0
  # Either the keeper lives, or it was killed and the command runs on without it.
  o_phase=going
  ! same "$o_keeper" "$o_kept" || return 0
  ! { { read -r o_y o_z <"$1/shell"; } 2>/dev/null && same "$o_y" "$o_z"; } || return 0
  o_phase=finished
  [ ! -f "$1/code" ] || return 0
  o_phase=died
}

# same is true for a process that is still the one that started then.
same() { since "$1" && [ "$o_since" = "$2" ]; }

# highest sets o_seen to the highest token, and o_by to the id that set it.
highest() {
  o_seen=-1 o_by=-
  [ -f .seen ] || return 0
  read -r o_seen o_by <.seen
  case $o_seen in ''|*[!0-9]*) fail "$o_b/.seen is damaged" ;; esac
}

# begin says begun when the attempt is in its place, by now or since earlier, or else why not. It runs with the lock open.
begin() {
  flock 9 || fail "flock does not work on $o_b/.lock"
  # What keepers that were killed have left.
  for o_x in .new.* .old.*; do
    [ ! -e "$o_x" ] || rm -rf "$o_x"
  done
  highest
  o_here=new
  [ ! -d "$o_id" ] || o_here=begun
  [ "$o_token" -ge "$o_seen" ] || answer "fenced $o_seen $o_by $o_here"
  if [ $o_here = begun ]; then
    read -r o_x o_y o_z o_x <"$o_id/begun"
    [ "$o_z" = "$o_sum" ] || answer reused
  elif [ -n "$o_fresh" ]; then
    # A script may come late, from a connection that its sender has long given up. How long ago this shell was started
    # tells; the clock of /proc has 100 ticks a second.
    since $$ || fail "/proc/$$/stat cannot be read"
    read -r o_x o_y </proc/uptime
    [ $((${o_x%.*}${o_x#*.} - o_since)) -lt "$o_fresh" ] || answer stale
  fi
  if [ "$o_token" -gt "$o_seen" ]; then
    { o_x=$({ printf '%s %s\n' "$o_token" "$o_id" >.seen.new && mv -f .seen.new .seen; } 2>&1); } || fail "$o_x"
  fi
  if [ $o_here = new ]; then
    # The keeper is this script once more, in a session of its own, and has the lock until the attempt is in its place:
    # whatever ends this shell now, the next one that gets the lock sees it. The first setsid makes a leader, for which
    # the second has to fork. With & instead the command would ignore SIGINT for ever.
    printf %b "$s" | setsid setsid sh -s rollout-once "$o_id" "$o_home" "$o_umask" 2>&1 9>&9
  else
    say begun
  fi
}

# relay passes on what begin says, and returns when the keeper, which holds the other end, is no more. It is false when
# nothing was begun.
relay() {
  IFS= read -r o_x || o_x="failed the keeper did not start"
  if [ "$o_x" = begun ]; then
    say wait
    read -r o_x
    return 0
  fi
  case ${o_x%% *} in fenced|reused|stale|failed) ;; *) o_x="failed $o_x" ;; esac
  say "$o_x"
  say end
  return 1
}

keep() {
  o_b=$PWD o_n=.new.$$
  since $$
  read -r o_up o_x </proc/uptime
  # The block of .code is taken now, for the case that the command fills the disk.
  mkdir "$o_n" &&
    printf '%s\n' "$o_line" >"$o_n/line" &&
    printf '%s\n' "$o_token $o_boot $o_sum $$ $o_since $o_up" >"$o_n/begun" &&
    printf '%100s\n' '' >"$o_n/.code" &&
    : >"$o_n/out" && : >"$o_n/err" && mv "$o_n" "$o_id" || { rm -rf "$o_n"; exit 1; }
  # A file that is new and synced takes the rename with it to the disk, so that a power cut cannot undo the beginning.
  printf 'x\n' | dd of="$o_id/synced" conv=fsync 2>/dev/null
  # From here on nothing is written to the pipe: its other end may be gone.
  say begun
  exec 8>&1 >/dev/null 2>&1 9>&-

  o_watch=
  if [ -n "$o_within" ]; then
    watch 8>&- &
    o_watch=$!
  fi
  ( run 8>&- )
  o_c=$?
  if [ -n "$o_watch" ]; then
    kill "$o_watch"
    wait "$o_watch"
  fi
  o_late=no
  [ ! -f "$o_id/late" ] || read -r o_late <"$o_id/late"
  read -r o_x o_y </proc/uptime
  o_took=$((${o_x%.*}${o_x#*.} - ${o_up%.*}${o_up#*.}))
  size out
  o_x=$o_size
  size err
  # Over what is there, and not to a new file, see above.
  printf '%s\n' "$o_c $o_late $o_took $o_x $o_size" 1<>"$o_id/.code" && mv -f "$o_id/.code" "$o_id/code"
  exec 8>&-
  prune
}

# run becomes the command.
run() {
  exec </dev/null >>"$o_id/out" 2>>"$o_id/err"
  since self
  read -r o_x o_y </proc/self/stat
  printf '%s\n' "$o_x $o_since" >"$o_id/shell" || exit
  set -- setsid sh "$o_b/$o_id/line"
  # The command may have a PATH of its own.
  [ "$o_path" = 0 ] || set -- "$(command -v setsid)" "$(command -v sh)" "$3"
  umask "$o_umask"
  CDPATH= cd -- "${o_dir:-$o_home}" || exit
  give
  exec "$@"
}

# watch ends the command when its time is over: TERM to its group, KILL to what is left.
watch() {
  trap 'kill $!; exit' TERM
  # A sleep that knows no fractions takes whole seconds.
  sleep "$o_within" &
  wait $! || { sleep "$o_ceil" & wait $!; }
  trap '' TERM
  echo left >"$o_id/late"
  read -r o_c o_x <"$o_id/shell"
  kill -TERM "-$o_c"
  gone "$o_grace" || { kill -KILL "-$o_c"; gone 10; } && echo gone >"$o_id/late"
}

# gone waits some tenths of a second for the end of group o_c.
gone() {
  o_n=$1
  while alive; do
    [ "$o_n" -gt 0 ] || return 1
    sleep 0.1 || { sleep 1; o_n=$((o_n - 9)); }
    o_n=$((o_n - 1))
  done
}

alive() {
  kill -0 "-$o_c" 2>/dev/null || return 1
  for o_y in /proc/[0-9]*; do
    if since "${o_y#/proc/}" && [ "$o_group" = "$o_c" ]; then return 0; fi
  done
  return 1
}

# size sets o_size to how much the command has printed, and keeps only the ends when it is much. A daemon may have the
# file open: it is emptied, not replaced.
size() {
  o_size=0
  [ -s "$o_id/$1" ] || return 0
  o_size=$(($(wc -c <"$o_id/$1")))
  [ $o_size -gt 65536 ] || return 0
  if head -c 32768 "$o_id/$1" >"$o_id/$1.head" && tail -c 32768 "$o_id/$1" >"$o_id/$1.tail"; then
    : >"$o_id/$1"
  else
    rm -f "$o_id/$1.head" "$o_id/$1.tail"
  fi
}

# prune removes what has ended, but for the newest. An id with the present token stays: it could be asked for once more,
# and would begin again. One with an older token is refused for ever.
prune() {
  set -- */
  [ $# -gt "$o_most" ] || return 0
  exec 9>>.lock
  flock -n 9 || return 0
  read -r o_seen o_x <.seen
  o_n=0
  for o_d in $(ls -t); do
    phase "$o_d"
    [ "$o_phase" != going ] || continue
    o_n=$((o_n + 1))
    read -r o_x o_y <"$o_d/begun"
    if [ $o_n -gt "$o_most" ] && [ "$o_x" -lt "$o_seen" ]; then
      mv "$o_d" ".old.$$" && rm -rf ".old.$$"
    fi
  done
}

# follow returns when the command has ended. A word now and then: to a connection that is gone it cannot be said, which
# ends this shell.
follow() {
  o_n=0
  while phase "$o_id"; [ "$o_phase" = going ]; do
    o_n=$((o_n + 1))
    if [ $o_n -gt 50 ]; then
      sleep 1
      say wait
    else
      sleep 0.1 || sleep 1
    fi
  done
}

report() {
  phase "$o_id"
  case $o_phase in
    absent) answer absent ;;
    finished)
      read -r o_c o_x o_y o_out o_err <"$o_id/code"
      say "finished $o_c $o_x $o_y" ;;
    *)
      # It may be pruned at this moment.
      o_out=$(wc -c <"$o_id/out") && o_err=$(wc -c <"$o_id/err") || answer absent
      o_out=$((o_out)) o_err=$((o_err))
      say "$o_phase" ;;
  esac
  print out "$o_out"
  print err "$o_err"
  say end
}

# print says how much there is of a stream and how many bytes of its beginning and end follow, and then these.
print() {
  if [ "$2" -le 65536 ]; then
    say "$1 $2 $2 0"
    [ "$2" = 0 ] || head -c "$2" "$o_id/$1"
  else
    say "$1 $2 32768 32768"
    if [ -f "$o_id/$1.tail" ]; then
      cat "$o_id/$1.head" "$o_id/$1.tail"
    else
      head -c 32768 "$o_id/$1"
      tail -c "+$(($2 - 32767))" "$o_id/$1" | head -c 32768
    fi
  fi
  say
}

if [ "${1-}" = rollout-once ]; then
  read -r o_boot </proc/sys/kernel/random/boot_id
  o_home=$3 o_umask=$4
  keep
  exit
fi
o_home=$PWD o_umask=$(umask)
umask 077
need
place
if [ "$o_as" = begin ]; then
  begin 9>>.lock | relay || exit 0
  follow
elif [ "$o_as" = seen ]; then
  highest
  [ "$o_seen" -ge 0 ] || answer absent
  answer "seen $o_seen $o_by"
fi
report
