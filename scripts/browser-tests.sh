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
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

LK_EMAIL=owner@example.com
LK_PASSWORD=$(node -p 'require("crypto").randomBytes(12).toString("hex")')
export LK_EMAIL LK_PASSWORD
printf '%s' "$LK_PASSWORD" |
  "$binary" user add --data-dir "$work/data" --email "$LK_EMAIL" --name "Ada Owner" --operator --password-stdin >/dev/null

"$binary" serve --data-dir "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 1 100); do
  LK_BASE_URL=$(sed -n 's/^ready //p' "$work/out")
  [ -z "$LK_BASE_URL" ] || break
  kill -0 "$server" 2>/dev/null || fail "the server ended: $(tail -n 3 "$work/log")"
  sleep 0.1
done
[ -n "$LK_BASE_URL" ] || fail "the server did not get ready: $(tail -n 3 "$work/log")"
export LK_BASE_URL
cd web
npx --no-install playwright test "$@"
