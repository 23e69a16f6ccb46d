#!/bin/sh
# The step of the GitHub action: it finds rollout, or fetches it and compares its checksum, and becomes it (exec), so that the signals of a
# cancelled job reach rollout and no shell. Every word comes by the environment: see action.yml.
set -eu

# fail ends with exit 2: a mistake in how the action is used. No value is repeated, since a line of the log may be a command to the runner.
fail() {
	printf '::error title=rollout::%s\n' "$1"
	exit 2
}

command=${INPUT_COMMAND:-start}
ref=${INPUT_REF:-}
set -- "$command" --config "${INPUT_CONFIG:-rollout.yaml}"
case $command in
start | plan)
	# A variable that is not set must not come to a rollout that brings nothing.
	[ -n "$ref" ] || fail 'ref is empty: name the release, or say "-" to restart without bringing one'
	[ "$ref" = - ] || set -- "$@" --ref "$ref"
	;;
rollback)
	[ -z "$ref" ] || set -- "$@" --to "$ref"
	;;
resume | abort | check)
	[ -z "$ref" ] || fail 'ref is for start, plan and rollback'
	;;
*)
	fail 'command is start, plan, check, resume, rollback or abort'
	;;
esac
case $command in
start | rollback | abort) set -- "$@" --yes ;;
esac
[ -z "${INPUT_STATE_DIR:-}" ] || set -- "$@" --state-dir "$INPUT_STATE_DIR"
while IFS= read -r arg; do
	[ -z "$arg" ] || set -- "$@" "$arg"
done <<END
${INPUT_ARGS:-}
END

# sha256 prints the checksum of a file.
sha256() {
	if command -v sha256sum >/dev/null; then
		sha256sum <"$1" | cut -d ' ' -f 1
	else
		shasum -a 256 <"$1" | cut -d ' ' -f 1
	fi
}

# fetch brings the release $1 into the directory $2.
fetch() {
	case $1 in
	'' | *[!0-9A-Za-z.-]* | [!0-9]*) fail 'version is a release such as 0.1.0, or path, or source' ;;
	esac
	from=https://github.com/seed59ee9cdc/rollout/releases/download
	proto='=https'
	if [ -n "${ROLLOUT_RELEASES:-}" ]; then # for tests: a server on this machine, and no other
		port=${ROLLOUT_RELEASES#http://127.0.0.1:}
		case $port in
		'' | *[!0-9]*) fail 'ROLLOUT_RELEASES is http://127.0.0.1:PORT' ;;
		esac
		from=http://127.0.0.1:$port
		proto='=http'
	fi
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) fail 'there is no release for this system: run it on Linux or macOS' ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) fail 'there is no release for this processor: say version: source' ;;
	esac
	file=rollout_$1_${os}_$arch.tar.gz
	get() {
		curl -fsSL --proto "$proto" --proto-redir "$proto" --tlsv1.2 --retry 3 --max-time 300 -o "$2/$3" "$from/v$1/$3" ||
			fail "the release cannot be fetched: is there one of this version, with $3?"
	}
	get "$1" "$2" "$file"
	want=${INPUT_SHA256:-}
	if [ -z "$want" ]; then
		get "$1" "$2" checksums.txt
		want=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1 }' "$2/checksums.txt")
	fi
	case $want in
	*[!0-9a-f]*) want='' ;;
	esac
	[ ${#want} -eq 64 ] || fail "there is no checksum for $file: sha256 is 64 digits 0-9 a-f, or comes from the release's checksums.txt"
	[ "$(sha256 "$2/$file")" = "$want" ] || fail "$file does not have the checksum it should have: it is not run"
	tar -xzf "$2/$file" -C "$2" rollout
}

case ${INPUT_VERSION:-} in
path)
	program=$(command -v rollout) || fail 'version is path, and there is no rollout on PATH'
	;;
*)
	bin=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/rollout.XXXXXXXX")
	program=$bin/rollout
	if [ "${INPUT_VERSION:-}" = source ]; then
		(cd "$GITHUB_ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -o "$program" ./cmd/rollout) || fail 'rollout cannot be built: it takes the Go of go.mod'
	else
		fetch "${INPUT_VERSION:-}" "$bin"
	fi
	[ -z "${GITHUB_PATH:-}" ] || printf '%s\n' "$bin" >>"$GITHUB_PATH" # later steps may say `rollout status`
	;;
esac

cd "${INPUT_WORKING_DIRECTORY:-.}"
[ -n "${INPUT_SSH_KEY:-}" ] || exec "$program" "$@"
# The key goes into an agent that ends with rollout, and never to the disk. The process stays this one: the agent is its child.
# OpenSSH takes no key whose lines end as Windows ends them, nor one whose last line does not end.
# shellcheck disable=SC2016 # the inner shell reads them
exec ssh-agent sh -c '
	printf "%s\n" "$INPUT_SSH_KEY" | tr -d "\r" | ssh-add -q - || exit 4
	unset INPUT_SSH_KEY
	exec "$@"
' sh "$program" "$@"
