#!/bin/sh
# Makes sure that tools are there: need.sh cargo cc postgres
# What Debian packages (cc, postgres) is installed through apt-get when root or sudo is at hand; for the rest it says what
# to install and stops. Prints nothing when everything is there.
set -eu

fail() {
  printf 'need: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root, or fails when there is no way to.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    sudo "$@"
  else
    return 1
  fi
}

# install PACKAGE WHY
install() {
  command -v apt-get >/dev/null 2>&1 || fail "$2 is missing and there is no apt-get here: install it ($1 on Debian), then try again"
  printf 'need: %s is missing, installing %s\n' "$2" "$1" >&2
  # The package lists of a fresh machine may be empty or old: fetch them first, and let the second step judge.
  as_root apt-get update >&2 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" >&2 ||
    fail "$2 is missing and could not be installed: run 'apt-get install $1' as root, then try again"
}

has_initdb() {
  command -v initdb >/dev/null 2>&1 && return 0
  for candidate in /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$candidate" ] && return 0
  done
  return 1
}

for tool in "$@"; do
  case $tool in
    cargo)
      command -v cargo >/dev/null 2>&1 || fail "cargo is missing: install Rust from https://rustup.rs, open a new shell, then try again"
      ;;
    cc)
      command -v cc >/dev/null 2>&1 || install build-essential "a C compiler"
      command -v cc >/dev/null 2>&1 || fail "there is still no cc: run 'apt-get install build-essential' as root, then try again"
      ;;
    postgres)
      has_initdb || install postgresql "the PostgreSQL server"
      has_initdb || fail "there is still no initdb: run 'apt-get install postgresql' as root, then try again"
      ;;
    *)
      fail "do not know how to look for '$tool'"
      ;;
  esac
done
