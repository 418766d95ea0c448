#!/bin/sh
# Runs a command with SUTURE_TEST_POSTGRES set: postgres.sh cargo nextest run
#
# In this order: the variable as it is; the server on 127.0.0.1:5432 when it lets us in; a throw-away cluster that lives
# as long as the command. SUTURE_FORCE_TEMP_POSTGRES=1 goes straight to the last. Tests make their own databases.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
local_url=postgres://postgres@127.0.0.1:5432/postgres
folder=
bin=

say() {
  printf 'postgres: %s\n' "$*" >&2
}

find_bin() {
  for candidate in /usr/lib/postgresql/*/bin; do
    # The last one is the newest, as far as names sort.
    [ -x "$candidate/initdb" ] && bin=$candidate
  done
  [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
}

accepts() {
  PGCONNECT_TIMEOUT=3 "$bin/psql" -X -w -A -t -q -c 'select 1' "$1" >/dev/null 2>&1
}

version() {
  "$bin/psql" -X -w -A -t -q -c 'show server_version' "$1"
}

# The server refuses to run as root, so root hands it to an account without rights.
as_server() {
  if [ "$(id -u)" -ne 0 ]; then
    (cd / && "$@")
  else
    (cd / && runuser -u "$account" -- "$@")
  fi
}

choose_account() {
  account=$(id -un)
  [ "$(id -u)" -eq 0 ] || return 0
  account=nobody
  if id postgres >/dev/null 2>&1; then
    account=postgres
  fi
}

stop() {
  status=$?
  trap - EXIT
  if [ -n "$folder" ]; then
    if [ -f "$folder/cluster/postmaster.pid" ]; then
      as_server "$bin/pg_ctl" -D "$folder/cluster" -m immediate -w stop >/dev/null 2>&1 || say "could not stop the cluster in $folder"
    fi
    rm -rf "$folder"
    say "stopped the throw-away cluster"
  fi
  exit "$status"
}

create() {
  # Root's TMPDIR may be closed to the account that runs the server.
  if [ "$(id -u)" -eq 0 ]; then
    folder=$(mktemp -d /tmp/suture-postgres.XXXXXX)
    chown "$account" "$folder"
  else
    folder=$(mktemp -d "${TMPDIR:-/tmp}/suture-postgres.XXXXXX")
  fi
  if ! as_server "$bin/initdb" -D "$folder/cluster" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1; then
    cat "$folder/initdb.log" >&2
    say "initdb failed"
    exit 1
  fi
  # Nothing here outlives the command, so nothing has to reach the disk.
  cat >>"$folder/cluster/postgresql.conf" <<EOT
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
fsync = off
full_page_writes = off
synchronous_commit = off
EOT
}

# A port is free when the server gets it: try until it does.
start() {
  port=$((20000 + $$ % 10000))
  last=$((port + 30))
  while [ "$port" -lt "$last" ]; do
    if as_server "$bin/pg_ctl" -D "$folder/cluster" -l "$folder/cluster/server.log" -o "-p $port" -w -t 60 start >/dev/null 2>&1; then
      return 0
    fi
    if ! grep -q -i 'address already in use' "$folder/cluster/server.log" 2>/dev/null; then
      break
    fi
    rm -f "$folder/cluster/server.log"
    port=$((port + 1))
  done
  cat "$folder/cluster/server.log" >&2 || true
  say "the throw-away cluster did not start"
  exit 1
}

throw_away() {
  choose_account
  trap stop EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  create
  start
  SUTURE_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres
  say "using a throw-away cluster on port $port, version $(version "$SUTURE_TEST_POSTGRES")"
}

[ "$#" -gt 0 ] || {
  say "usage: postgres.sh COMMAND..."
  exit 2
}

if [ "${SUTURE_FORCE_TEMP_POSTGRES:-0}" != 1 ] && [ -n "${SUTURE_TEST_POSTGRES:-}" ]; then
  say "using SUTURE_TEST_POSTGRES as it is set"
else
  "$here/need.sh" postgres
  find_bin
  if [ "${SUTURE_FORCE_TEMP_POSTGRES:-0}" != 1 ] && accepts "$local_url"; then
    SUTURE_TEST_POSTGRES=$local_url
    say "using the server on 127.0.0.1:5432, version $(version "$local_url")"
  else
    throw_away
  fi
fi
export SUTURE_TEST_POSTGRES
"$@"
