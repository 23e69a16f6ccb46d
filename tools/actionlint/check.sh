#!/bin/sh
# Checks the example workflow, and through it action.yml: actionlint looks at an action where a workflow of the same repository uses it, so one is made for it.
# Where there is a shellcheck, it looks at the shell in them, too.
set -eu
cd "$(dirname "$0")/../.."
root=$(pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/.git" "$dir/.github/workflows"
ln -s "$root/packaging" "$dir/packaging"
cp action.yml "$dir/"
sed 's|uses: seed59ee9cdc/rollout@[^ ]*|uses: ./|' packaging/github/workflow.yml >"$dir/.github/workflows/rollout.yml"
printf 'self-hosted-runner: {labels: [rollout]}\n' >"$dir/.github/actionlint.yaml"
actionlint=$(go tool -modfile=tools/actionlint/go.mod -n actionlint)
(cd "$dir" && "$actionlint" -no-color)
if command -v shellcheck >/dev/null; then
	shellcheck packaging/github/run.sh tools/actionlint/check.sh
fi
