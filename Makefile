.PHONY: test lint docs release-check release-try e2e axe pictures bench pomelo-world e2e-pomelo e2e-full fuzz mutants sim torture vulncheck

# The race detector wants a C compiler; without one the tests run without it, and say so.
RACE := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && echo -race)

# All Go tests with the race detector.
test:
	@test -n "$(RACE)" || echo "no C compiler: testing without the race detector"
	go test $(RACE) ./...

# gofmt, go vet and golangci-lint, which has a module of its own so that the main module graph stays small.
lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	go tool -modfile=tools/lint/go.mod golangci-lint run
	tools/actionlint/check.sh

# Known vulnerabilities in what is called here, by Go's own database or a copy of it.
VULNDB := https://vuln.go.dev
vulncheck:
	go tool -modfile=tools/lint/go.mod govulncheck -db $(VULNDB) ./...

# What is made of the program itself: docs/cli, the man pages, the schemas of rollout.yaml and of what is printed. Tests say when they are stale.
docs:
	go test -count=1 ./cmd/rollout ./config -run 'TestTheManualIsWhatTheCommandsSay|TestSchemaIsThePublished|TestSchemasAreThoseOfTheDocuments' -update

# Is .goreleaser.yaml one that goreleaser takes? It has a module of its own, as golangci-lint has; the first time takes minutes.
release-check:
	go tool -modfile=tools/release/go.mod goreleaser check

# Everything a release has, into dist/, and nothing is published. The list of what is inside needs syft, and is left out where there is none.
release-try:
	go tool -modfile=tools/release/go.mod goreleaser release --snapshot --clean --skip=sign$(shell command -v syft >/dev/null 2>&1 || echo ,sbom)

# The built binary against real OpenSSH on loopback, and its dashboard in Debian's chromium.
e2e: axe
	ROLLOUT_AXE=$(AXE) go test -count=1 -tags=e2e -timeout=25m -parallel=5 ./e2e

# axe-core from npm, which the test of the dashboard runs in its pages.
AXE := $(CURDIR)/.axe/node_modules/axe-core/axe.min.js
axe: $(AXE)
$(AXE):
	npm install --prefix .axe --no-save --no-package-lock --ignore-scripts --no-audit --no-fund axe-core@4.14.1

# The pictures of the docs, from a sandbox run. They want a Chinese font (Debian's fonts-noto-cjk).
pictures:
	ROLLOUT_PICTURES=$(CURDIR)/docs/pictures go test -count=1 -tags=e2e -parallel=1 -run 'TestTheDashboardInABrowser|TestARunOnATerminalIsWatched' ./e2e

# Pomelo from npm, for `rollout sandbox --pomelo` and the tests that want the real thing. Nothing of it is needed to build or to use rollout.
POMELO := $(CURDIR)/.pomelo/node_modules/pomelo
pomelo-world: $(POMELO)/package.json
$(POMELO)/package.json:
	npm install --prefix .pomelo --no-save --no-package-lock --ignore-scripts --no-audit --no-fund pomelo@2.2.7

# The built binary against real Pomelo groups in network namespaces, behind HAProxy. As root on Linux, with haproxy and sshd.
e2e-pomelo: pomelo-world
	ROLLOUT_POMELO=$(POMELO) go test -count=1 ./pomelo ./sandbox/app ./sandbox/rig ./sandbox/players
	ROLLOUT_POMELO=$(POMELO) go test -count=1 -short -tags=e2e -timeout=20m ./e2e/pomelo

# The same at full size: 98 processes, 48 backends, 200 players; and once with the real times. Half an hour and more.
e2e-full: pomelo-world
	ROLLOUT_POMELO=$(POMELO) ROLLOUT_E2E_FULL=1 ROLLOUT_E2E_AT_ONCE=1 go test -count=1 -v -tags=e2e -timeout=90m ./e2e/pomelo

# Rollouts in SEEDS simulated worlds full of faults, from FROM on, and a crash at every boundary of every call. SEED=n runs one world and prints its story.
SEEDS := 10000
FROM := 1
SEED :=
sim:
ifeq ($(SEED),)
	GOGC=400 ROLLOUT_SIM_SEEDS=$(SEEDS) ROLLOUT_SIM_FROM=$(FROM) ROLLOUT_SIM_GRID=1 ROLLOUT_SIM_STRIDE=29 go test -count=1 -v -timeout=0 -run='ASimulatedWorld|EveryCrash|EveryPair' ./steps
else
	ROLLOUT_SIM_SEED=$(SEED) go test -count=1 -v -run=ASimulatedWorld ./steps
endif

# Known bugs, seeded one after another; fails where the tests do not notice one. MUTANT="word" tries only those that have it.
mutants:
	go run ./tools/mutants

# Each fuzz target for FUZZ (30s).
FUZZ := 30s
fuzz:
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) -fuzzminimizetime 20x $$p || exit 1; done; done

# Benchmarks: read the ratios, not the times. BENCH=-short leaves the longest out.
bench:
	go test -tags=e2e -run='^$$' -bench=. -benchtime=1x $(BENCH) $$(grep -rl '^func Benchmark' --include='*_test.go' . | xargs -n1 dirname | sort -u)

# The built binary killed with SIGKILL at KILLS (100) random moments, and taken up again: real processes, real TCP, real OpenSSH. Ten minutes.
KILLS := 100
torture:
	ROLLOUT_TORTURE=$(KILLS) go test -count=1 -v -tags=e2e -timeout=40m -run TestKilledAtRandomMoments ./e2e
