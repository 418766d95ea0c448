# Entry points. `make` alone shows them.

.DEFAULT_GOAL := help
.PHONY: help demo test fmt clippy tidy bench ci

# rustup puts cargo here and a shell opened before does not know it yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1: /p' $(firstword $(MAKEFILE_LIST))

demo: ## start everything with a sandbox world; ARGS="--once" runs the story and ends
	@scripts/need.sh cargo cc
	cargo run --locked -p suture -- demo $(ARGS)

test: ## all tests, on SQLite and PostgreSQL; ARGS go to the test runner
	@scripts/need.sh cargo cc
	scripts/postgres.sh scripts/test.sh $(ARGS)

fmt: ## format all Rust code
	cargo fmt --all

clippy: ## lints, warnings are errors
	@scripts/need.sh cargo cc
	cargo clippy --workspace --all-targets --locked -- -D warnings

tidy: ## the rules of the house that a compiler does not know
	@scripts/need.sh cargo cc
	cargo xtask tidy

bench: ## all benchmarks
	@scripts/need.sh cargo cc
	cargo run --release --locked -p suture -- bench all $(ARGS)

ci: ## everything that must hold before a change is accepted
	.ci/run
