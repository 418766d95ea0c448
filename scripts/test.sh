#!/bin/sh
# All tests of the workspace; arguments go to the runner. Doc tests come first, so that the last line is the summary of
# everything else.
set -eu

[ -n "${SUTURE_TEST_POSTGRES:-}" ] || {
  echo "test: SUTURE_TEST_POSTGRES is not set: start the tests with 'make test', or through scripts/postgres.sh" >&2
  exit 1
}

if cargo nextest --version >/dev/null 2>&1; then
  cargo test --doc --workspace --locked
  exec cargo nextest run --workspace --locked "$@"
fi
echo "test: cargo-nextest is not installed, using cargo test (doc tests included)" >&2
exec cargo test --workspace --locked "$@"
