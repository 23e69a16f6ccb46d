#!/bin/sh
# Builds the program as a release has it: packaging/build.sh OS ARCH OUT
# The same commit, the same VERSION and the same Go give the same bytes, in any folder and on any machine. VERSION and COMMIT are asked of git
# where they are not told.
set -eu
[ $# -eq 3 ] || { echo "usage: packaging/build.sh OS ARCH OUT, such as packaging/build.sh linux amd64 ./rollout" >&2; exit 2; }
os=$1 arch=$2 out=$3
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.."
version=${VERSION:-$(git describe --tags --exact-match 2>/dev/null || true)}
[ -n "$version" ] || { echo "packaging/build.sh: this commit has no tag; say VERSION=0.0.0-mine, or check a tag out" >&2; exit 2; }
version=${version#v}
commit=${COMMIT:-$(git rev-parse HEAD)}
# Of the environment only what is named here may change the bytes.
unset GOFLAGS GOEXPERIMENT GODEBUG GOFIPS140
export CGO_ENABLED=0 GOOS="$os" GOARCH="$arch" GOAMD64=v1 GOARM64=v8.0
exec go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version -X main.revision=$commit" -o "$out" ./cmd/rollout
