# The front door. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)

.PHONY: help deps demo build dev test soak bench freshness interop conformance lint format fuzz clean

help: ## Shows this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | expand -t 13

deps: ## Installs what build and tests need (Debian packages, DuckDB from npm)
	@tools/install_dependencies.sh build

build: deps ## Builds the release: build/release/pinflow
	@cmake --preset release >build-release.log 2>&1 || (cat build-release.log; exit 1)
	@rm -f build-release.log
	@cmake --build --preset release --target pinflow -j $(JOBS)

demo: build ## Runs the whole pipeline once on synthetic posts
	@build/release/pinflow demo

dev: deps
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev -j $(JOBS)

test: dev ## Builds with sanitizers and runs all tests
	@ctest --preset dev -j $(JOBS)

soak: build ## Runs the long proofs: many kills, many power cuts
	@tests/soak.sh

bench: build ## Measures posts per second, drain rate, batch time, memory, start time; beside Apache Kafka, a bridge, kinesalite, Spark, Kafka Connect
	@tools/install_dependencies.sh interop
	@cmake --build --preset release --target pinflow_bench http_load -j $(JOBS)
	@build/release/bench/pinflow_bench --pinflow build/release/pinflow
	@bench/kafka/kafka_bench.py --pinflow build/release/pinflow
	@bench/http/http_bench.py --pinflow build/release/pinflow
	@bench/stream/spark_bench.py --pinflow build/release/pinflow
	@bench/batch/batch_bench.py --pinflow build/release/pinflow
	@bench/sink/sink_bench.py --pinflow build/release/pinflow
	@bench/cluster/doors_bench.py --pinflow build/release/pinflow

freshness: build ## Measures how soon posts are visible at 1, 5 and 20 thousand a second, ten minutes each, and whether memory stays flat
	@cmake --build --preset release --target freshness_load -j $(JOBS)
	@bench/stream/freshness.py --pinflow build/release/pinflow $(FRESHNESS)

interop: build ## Checks against foreign clients, readers and servers (needs PyPI, Maven Central)
	@tools/install_dependencies.sh interop
	@interop/run.sh

conformance: build ## Runs what interop leaves out for its time: all of librdkafka's test suite, older Kafkas, the long checks of the HTTP doors
	@tools/install_dependencies.sh interop
	@interop/run.sh --long

lint: dev ## Checks format, clang-tidy's short list, edges between modules, shell and text rules; LINT='--last 20': clang-tidy of what the last 20 commits changed
	@tools/install_dependencies.sh lint
	@tools/lint.sh $(LINT)

format: ## Formats all sources
	@tools/install_dependencies.sh lint
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

fuzz: deps ## Builds the fuzzers and runs each for FUZZ_SECONDS (60)
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz --target fuzzers -j $(JOBS)
	@tools/fuzz.sh $${FUZZ_SECONDS:-60}

clean: ## Removes the build folders
	@rm -rf build
