# Two commands: `make demo` runs the whole space with live status, `make test` runs every test.
# Both install what they miss and build what is not built.
SHELL := /bin/bash
ARGS ?=
RELEASE := .build/release

.PHONY: setup build release demo test bench chaos chaos-long chaos-simulate chaos-mutants lint format clean
.SILENT:

setup:
	deploy/setup.sh

build: setup
	swift build --build-tests -q

release: setup
	echo 'building the release; the first time takes about six minutes'
	swift build -c release -q

demo: release
	$(RELEASE)/kerege up $(ARGS)

test: setup
	[ -d ../shared/json-schema-test-suite ] || Tests/fetch-schema-suite.sh || true
	echo 'building everything for tests; the first time takes about five minutes'
	swift build --build-tests -q
	Tests/run.sh $(ARGS)

bench: release
	deploy/bench.sh $(ARGS)

# Every class of faults, done to real processes and in virtual time; closes with the table of docs/RELIABILITY.md.
chaos: setup
	deploy/chaos.sh $(ARGS)

# The same with many more faults: some hours.
chaos-long: setup
	deploy/chaos.sh --long $(ARGS)

# Virtual faults: 20,000 histories of the bus, each with its own. SEEDS=N FROM=N runs others.
SEEDS ?= 20000
chaos-simulate: setup
	swift build -c release -q --product kerege-chaos
	$(RELEASE)/kerege-chaos simulate --seeds $(SEEDS) $(if $(FROM),--from $(FROM)) $(ARGS)

# Every promise broken on purpose must be seen. A build of its own: what is broken here is not to be installed.
chaos-mutants: setup
	KEREGE_MUTANTS=1 swift build -c release -q --product kerege-chaos --scratch-path .build/mutants
	.build/mutants/release/kerege-chaos mutants $(ARGS)

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests

clean:
	rm -rf .build
