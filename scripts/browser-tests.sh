#!/usr/bin/env bash
# Runs the browser tests on the real binary, with throwaway data and an owner made for the run.
#   scripts/browser-tests.sh [PLAYWRIGHT ARGUMENTS]
# LINEKEEPER_BIN names the binary (default target/debug/linekeeper), CHROMIUM_PATH the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

binary=${LINEKEEPER_BIN:-target/debug/linekeeper}
[ -x "$binary" ] || fail "$binary is missing: run cargo build -p linekeeper"
LK_CHROMIUM=$(scripts/chromium.sh)
export LK_CHROMIUM

work=$(mktemp -d "${TMPDIR:-/tmp}/linekeeper-browser.XXXXXX")
server=""
provider=""
finish() {
  for started in $server $provider; do
    kill "$started" 2>/dev/null || true
    wait "$started" 2>/dev/null || true
  done
  rm -rf "$work"
}

# Waits until a process that was started has printed a line: wait_for PID FILE WHAT
wait_for() {
  for _ in $(seq 1 100); do
    if [ -s "$2" ]; then return 0; fi
    kill -0 "$1" 2>/dev/null || fail "$3 ended: $(tail -n 3 "$work/log")"
    sleep 0.1
  done
  fail "$3 did not get ready: $(tail -n 3 "$work/log")"
}
trap finish EXIT
trap 'exit 130' INT TERM

LK_EMAIL=owner@example.com
LK_PASSWORD=$(node -p 'require("crypto").randomBytes(12).toString("hex")')
export LK_EMAIL LK_PASSWORD
printf '%s' "$LK_PASSWORD" |
  "$binary" user add --data-dir "$work/data" --email "$LK_EMAIL" --name "Ada Owner" --operator --password-stdin >/dev/null

# The provider knows where it sends people back to, so the server's port is chosen before.
LK_BASE_URL=http://127.0.0.1:$(free_port)
LK_DATABASE=$work/data/linekeeper.db
export LK_BASE_URL LK_DATABASE
# Digits alone: a setting that comes as a variable stays text.
OIDC_CLIENT_ID=471108
OIDC_CLIENT_SECRET=$(node -p 'require("crypto").randomBytes(16).toString("hex")')
export OIDC_CLIENT_ID OIDC_CLIENT_SECRET
node tests-node/oidc-provider.mjs "$LK_BASE_URL/api/oidc/callback" >"$work/issuer" 2>"$work/log" &
provider=$!
wait_for "$provider" "$work/issuer" "the identity provider"

LINEKEEPER_OIDC__ISSUER=$(cat "$work/issuer") LINEKEEPER_OIDC__NAME="Example ID" \
  LINEKEEPER_OIDC__CLIENT_ID=$OIDC_CLIENT_ID LINEKEEPER_OIDC__CLIENT_SECRET=$OIDC_CLIENT_SECRET \
  "$binary" serve --data-dir "$work/data" --listen "${LK_BASE_URL#http://}" >"$work/out" 2>>"$work/log" &
server=$!
wait_for "$server" "$work/out" "the server"
cd web
npx --no-install playwright test "$@"
