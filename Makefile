# Tasks of the project; `make help` lists them. All need is Go, make and bash:
# the tools build from tools/go.mod, which keeps them out of the product's
# dependencies.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help

ARGS     ?=
PKG      ?= ./...
BENCH    ?= .
COUNT    ?= 6
BENCHTIME ?= 1s
COL      ?=
FUZZTIME ?= 20s
STRESS   ?= 60s
SOAK     ?= 30m
MODULE   ?=
OUT      ?= out

tool := go tool -modfile=tools/go.mod
here  = find . \( -name '.?*' -o -name testdata -o -path ./tools \) -prune -o

# Tests and experiments on real measurements read them from AUTOTUNE_DATA, and
# are skipped where there are none.
ifndef AUTOTUNE_DATA
ifneq ($(wildcard ../shared/data/.),)
export AUTOTUNE_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: help run test check race lint bench fuzz stress soak golden rename mod build experiments overhead

help: ## list the tasks
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-11s %s\n", $$1, $$2 }'

run: ## build and run the demonstration: make run ARGS="--duration 3m"
	go run ./cmd/autotune run $(ARGS)

test: ## run all tests
	go test -timeout 15m ./...

race: ## run the shorter tests under the race detector
	go test -race -short -timeout 15m ./...

lint: ## check formatting and run the linters
	@echo '== formatting'
	@unformatted=$$($(tool) gofumpt -l .); \
	if [ -n "$$unformatted" ]; then printf 'not formatted as gofumpt does:\n%s\n' "$$unformatted" >&2; exit 1; fi
	@echo '== linters'
	go vet ./...
	$(tool) golangci-lint run ./...

mod: ## check that go.mod and go.sum are tidy and the modules unaltered
	go mod tidy -diff
	go -C examples/outside mod tidy -diff
	go mod verify

build: ## build everything, the examples too
	go build ./...

check: mod build lint test race ## everything that CI runs
	@echo '== all checks passed'

bench: ## run benchmarks and summarize them: make bench PKG=./executor BENCH=Peer COUNT=6 COL=/by
	out=$$(mktemp); trap 'rm -f "$$out"' EXIT; \
	for round in $$(seq $(COUNT)); do \
		go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) $(PKG) | tee -a "$$out"; \
	done; \
	$(tool) benchstat $(if $(COL),-col $(COL)) result="$$out"

experiments: ## run all simulated experiments, in some 40 minutes on two cores: make experiments ARGS="--short"
	go run ./cmd/autotune experiment all --out $(OUT) $(ARGS)

overhead: ## measure what the autopilot costs a service, in some 12 minutes: make overhead OUT=docs
	go run ./cmd/autotune experiment overhead --out $(OUT) $(ARGS)

fuzz: ## fuzz every target for FUZZTIME each (20s)
	@{ $(here) -name '*_test.go' -exec grep -HoE '^func Fuzz[A-Za-z0-9_]+' {} + || true; } | sort | \
	while IFS=: read -r file target; do \
		echo "== $$(dirname "$$file") $${target#func }"; \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null; \
	done

stress: ## move random configurations under full load for STRESS (60s)
	go test -count 1 -timeout 1h -run Stress -v ./executor -stress $(STRESS)

soak: ## wear services down for SOAK (30m): random operators, faults, kill -9
	go test -count 1 -timeout 0 -run TestSoak -v ./internal/soak -soak $(SOAK)

golden: ## write the golden files anew, to be reviewed as a diff
	@dirs=$$({ $(here) -name '*_test.go' -exec grep -lE 'flag\.Bool\("update"' {} + || true; } | \
		while read -r file; do dirname "$$file"; done | sort -u); \
	if [ -z "$$dirs" ]; then echo 'no package has golden files (a test flag named update)'; exit 0; fi; \
	go test $$dirs -update

rename: export MODULE := $(MODULE)
rename: ## set the module path everywhere: make rename MODULE=example.org/x/autotune
	@case "$$MODULE" in \
	'') echo 'MODULE is empty: make rename MODULE=example.org/x/autotune' >&2; exit 2;; \
	*[!A-Za-z0-9._~/-]* | /* | */ | *//* | -* | .* | */.* | *./* | *.) echo "MODULE $$MODULE: not a module path" >&2; exit 2;; \
	esac; \
	old=$$(go list -m); \
	go mod edit -module "$$MODULE"; \
	go mod edit -module "$$MODULE/tools" tools/go.mod; \
	go mod edit -droprequire "$$old" -dropreplace "$$old" -require "$$MODULE@v0.0.0" -replace "$$MODULE=../.." examples/outside/go.mod; \
	pattern=$$(printf '%s' "$$old" | sed 's/[.]/\\./g'); \
	swap="s#\"$$pattern(/[^\"]*)?\"#\"$$MODULE\\1\"#"; \
	find . -name '.?*' -prune -o \( -name '*.go' -o -name '*.md' \) -exec \
		sed -E -i.renamed -e "/^import \(/,/^\)/$$swap" -e "/^import [^(]/$$swap" {} +; \
	find . -name '*.renamed' -delete; \
	$(here) -name '*.go' -exec gofmt -w {} +; \
	echo "module $$old is now $$MODULE"
