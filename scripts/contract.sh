#!/usr/bin/env bash
# Writes web/openapi.json from the routes and the web client's types from that.
#   scripts/contract.sh           writes both
#   scripts/contract.sh --check   changes nothing; fails when either is not up to date
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/linekeeper-contract.XXXXXX")
trap 'rm -rf "$work"' EXIT
cargo build --quiet --package linekeeper
target/debug/linekeeper openapi >"$work/openapi.json"
# The options are those of `npm run gen`, which the web's own test compares with.
(cd web && npx --no-install openapi-typescript "$work/openapi.json" -o "$work/schema.ts" --alphabetize --empty-objects-unknown >/dev/null)

stale=""
refresh() {
  if cmp -s "$1" "$2"; then return 0; fi
  if [ "${check:-}" = yes ]; then stale="$stale $2"; else cp "$1" "$2" && echo "wrote $2"; fi
}
if [ "${1:-}" = --check ]; then check=yes; fi
refresh "$work/openapi.json" web/openapi.json
refresh "$work/schema.ts" web/src/api/schema.ts
[ -z "$stale" ] || fail "stale:$stale; run \`make contract\` and commit what it writes"
