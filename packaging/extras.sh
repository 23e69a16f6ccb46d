#!/bin/sh
# Makes what the packages hold besides the program and the files of the repository: completions, and man pages as man-db wants them.
set -eu
cd "$(dirname "$0")/.."
out=packaging/out
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"
go build -o "$out/rollout" ./cmd/rollout
for shell in bash zsh fish; do
	"$out/rollout" completion "$shell" >"$out/completions/rollout.$shell"
done
rm "$out/rollout"
for page in packaging/man/*.1; do
	gzip -9n <"$page" >"$out/man/$(basename "$page").gz" # n: without the page's date, which is the day of the checkout
done
