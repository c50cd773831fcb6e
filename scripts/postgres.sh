#!/usr/bin/env bash
# Finds or starts a PostgreSQL for the tests.
#   scripts/postgres.sh start FOLDER   prints the URL of a server the tests may use; starts a
#                                      throwaway cluster in FOLDER when there is none
#   scripts/postgres.sh stop FOLDER    stops the cluster that start made in FOLDER, if any
# In this order: TEST_POSTGRES_URL, a server on 127.0.0.1:5432 that lets us in, installed
# binaries, binaries installed with apt. Otherwise it fails: the suite is never skipped.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The folder with initdb and pg_ctl, newest version first; empty when there is none.
binaries() {
  local folder
  for folder in $(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin \
    /usr/local/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/latest/bin 2>/dev/null | sort -rV); do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
      echo "$folder"
      return
    fi
  done
  if has initdb && has pg_ctl; then
    dirname "$(command -v initdb)"
  fi
}

# Runs a command as a user PostgreSQL accepts: it refuses to run as root.
as_server_user() {
  if [ "$(id -u)" != 0 ]; then
    "$@"
  elif has runuser; then
    runuser -u "$(server_user)" -- "$@"
  else
    fail "PostgreSQL does not run as root and runuser is missing: run the tests as another user, or set TEST_POSTGRES_URL"
  fi
}

server_user() {
  if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Prints the URL of the server on 127.0.0.1:5432 if one lets us in.
running_server() {
  has psql || return 1
  local url
  for url in "postgres://postgres@127.0.0.1:5432/postgres" \
    "postgres://postgres:postgres@127.0.0.1:5432/postgres" \
    "postgres://$(id -un)@127.0.0.1:5432/postgres"; do
    if PGCONNECT_TIMEOUT=2 psql -w -q -c 'select 1' "$url" >/dev/null 2>&1; then
      echo "$url"
      return 0
    fi
  done
  return 1
}

start() {
  local folder=$1
  if [ -n "${TEST_POSTGRES_URL:-}" ]; then
    echo "$TEST_POSTGRES_URL"
    return
  fi
  if running_server; then
    return
  fi
  local bin
  bin=$(binaries)
  if [ -z "$bin" ] && may_install; then
    install_packages postgresql
    bin=$(binaries)
  fi
  [ -n "$bin" ] || fail "PostgreSQL is missing: install it (Debian: apt install postgresql; macOS: brew install postgresql@17) or set TEST_POSTGRES_URL"

  local port
  port=$(free_port)
  mkdir -p "$folder"
  [ "$(id -u)" != 0 ] || chown "$(server_user)" "$folder"
  as_server_user "$bin/initdb" -D "$folder/cluster" -U postgres -A trust -E UTF8 --no-sync >"$folder/initdb.log" 2>&1 \
    || fail "initdb failed: $(tail -n 3 "$folder/initdb.log")"
  # The socket folder's path must be short; the tests use TCP anyway.
  as_server_user "$bin/pg_ctl" -D "$folder/cluster" -l "$folder/cluster/server.log" -w -t 30 \
    -o "-h 127.0.0.1 -p $port -k '' -c max_connections=200" start >"$folder/start.log" 2>&1 \
    || fail "PostgreSQL did not start: $(tail -n 3 "$folder/cluster/server.log")"
  echo "$bin" >"$folder/started"
  echo "postgres://postgres@127.0.0.1:$port/postgres"
}

stop() {
  local folder=$1
  [ -f "$folder/started" ] || return 0
  as_server_user "$(cat "$folder/started")/pg_ctl" -D "$folder/cluster" -m immediate stop >/dev/null
  rm -rf "$folder"
}

case "${1:-}" in
  start) start "${2:?usage: scripts/postgres.sh start FOLDER}" ;;
  stop) stop "${2:?usage: scripts/postgres.sh stop FOLDER}" ;;
  *) fail "usage: scripts/postgres.sh start|stop FOLDER" ;;
esac
