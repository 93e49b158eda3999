# Everything starts here; each target does its own set-up, and only what is missing. `make help` lists them.
# What a target says of itself goes to stderr: standard output is the program's own.

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BUILD_ONLY := sh setup/timed.sh "set-up" sh setup/build.sh
FOR_TESTS := sh setup/timed.sh "set-up for tests" sh setup/test.sh

.PHONY: help demo test test-build setup-test release lint

help: ## What can be made.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: ## Payments scored live in this terminal; nothing to install. ARGS="--transactions N --seed S --json", ARGS=ranking
	@$(BUILD_ONLY)
	@sh setup/timed.sh "build" cargo build -p millrace
	@"$(TARGET_DIR)/debug/millrace" demo $(ARGS)

test: test-build ## All tests, end to end ones against real Kafka, Redis and a schema registry. ARGS="<filter>"
	@sh setup/timed.sh "tests" cargo test --workspace $(ARGS)

# One build of everything, so that features are resolved once: the tests run the binary that it makes.
test-build: setup-test
	@sh setup/timed.sh "build" cargo build --workspace --all-targets

setup-test: ## What the tests need, without running them.
	@$(BUILD_ONLY)
	@$(FOR_TESTS)

release: ## target/release/millrace, optimised; it runs as it is.
	@$(BUILD_ONLY)
	@CFLAGS=-O2 sh setup/timed.sh "build" cargo build --release -p millrace

lint: ## Format and lints, as CI checks them.
	@$(BUILD_ONLY)
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets -- -D warnings
