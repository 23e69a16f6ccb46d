.PHONY: test lint e2e bench

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

# The built binary against real OpenSSH on loopback.
e2e:
	go test -count=1 -tags=e2e -timeout=15m -parallel=3 ./e2e/...

# Benchmarks: read the ratios, not the times.
bench:
	go test -tags=e2e -run='^$$' -bench=. -benchtime=1x ./...
