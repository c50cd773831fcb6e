#!/usr/bin/env bash
# Everything that must hold, stage by stage; `make test` runs it.
#   scripts/test.sh                all stages, stopping at the first that fails
#   scripts/test.sh fmt rust ...   only these
#   KEEP_GOING=1                   runs the later stages after a failure too
# The exit status is 0 only when every stage that ran passed. Nothing is skipped because a tool
# is missing: the tool is installed, or the stage fails with a sentence.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

ALL_STAGES="fmt web-build clippy generated tidy audit rust contract web-static web-unit signers fuzz browser"
work=$(mktemp -d "${TMPDIR:-/tmp}/linekeeper-test.XXXXXX")
chmod 755 "$work"
finish() {
  scripts/postgres.sh stop "$work/postgres" || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Formatting of every Rust file.
stage_fmt() {
  cargo fmt --all -- --check
}

# Lints, with warnings as errors.
stage_clippy() {
  cargo clippy --workspace --all-targets --features xtask/bench --quiet -- -D warnings
}

# Generated files are the ones their sources give.
stage_generated() {
  cargo xtask codegen --check
}

# House rules that no compiler checks.
stage_tidy() {
  cargo xtask tidy
}

# What we depend on: licences, sources, banned crates, known vulnerabilities.
stage_audit() {
  scripts/need.sh web
  scripts/audit.sh
}

# Rust tests, the store's suite on both databases among them.
stage_rust() {
  # The provider that credentials are tried against.
  scripts/need.sh web
  scripts/npm-install.sh tests-node
  TEST_POSTGRES_URL=$(scripts/postgres.sh start "$work/postgres")
  export TEST_POSTGRES_URL
  printf 'PostgreSQL: %s\n' "$(printf '%s' "$TEST_POSTGRES_URL" | sed -E 's#//([^:/@]+)(:[^@]*)?@#//\1@#')"
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --no-fail-fast --status-level fail --final-status-level slow
  else
    cargo test --workspace --no-fail-fast --quiet
  fi
}

# The API's description and the web client's types are what the routes give.
stage_contract() {
  web_ready
  scripts/contract.sh --check
}

# Types and lint of the web UI.
stage_web_static() {
  web_ready
  (cd web && npm run --silent typecheck && npm run --silent lint)
}

# Unit tests of the web UI.
stage_web_unit() {
  web_ready
  (cd web && npm run --silent test)
}

# The web UI builds.
stage_web_build() {
  web_ready
  (cd web && npm run --silent build)
}

# Payloads signed by the providers' own libraries are accepted, tampered ones refused.
stage_signers() {
  binary
  scripts/npm-install.sh tests-node
  scripts/python-env.sh
  (cd tests-node && LINEKEEPER_BIN="$PWD/../target/debug/linekeeper" node --test)
}

# The API answers whatever it is sent, and never with a failure of its own.
stage_fuzz() {
  binary
  scripts/npm-install.sh tests-node
  scripts/python-env.sh
  node scripts/fuzz.mjs
}

# The whole product in a real browser, with axe on every page.
stage_browser() {
  web_ready
  [ -f web/dist/index.html ] || (cd web && npm run --silent build)
  binary
  # The identity provider that people sign in with.
  scripts/npm-install.sh tests-node
  scripts/browser-tests.sh
}

web_ready() {
  scripts/need.sh web
  scripts/npm-install.sh web
}

# The development build; release builds are never part of the tests.
binary() {
  cargo build --quiet --package linekeeper
}

report=""
failed=""
run_stage() {
  local name=$1 started status=0 seconds
  printf '\n=== %s ===\n' "$name"
  started=$(date +%s)
  # A subshell with its own `set -e`: bash ignores it inside a tested command list otherwise.
  set +e
  (set -euo pipefail; trap - EXIT; "stage_$(printf '%s' "$name" | tr - _)")
  status=$?
  set -e
  seconds=$(($(date +%s) - started))
  if [ "$status" = 0 ]; then
    report="$report$(printf '%-12s passed %5ss' "$name" "$seconds")\n"
  else
    report="$report$(printf '%-12s FAILED %5ss' "$name" "$seconds")\n"
    failed="$failed $name"
  fi
  return 0
}

stages=${*:-$ALL_STAGES}
for name in $stages; do
  case " $ALL_STAGES " in
    *" $name "*) ;;
    *) fail "unknown stage $name; the stages are: $ALL_STAGES" ;;
  esac
done
scripts/need.sh
for name in $stages; do
  run_stage "$name"
  if [ -n "$failed" ] && [ -z "${KEEP_GOING:-}" ]; then
    break
  fi
done

printf '\n=== summary ===\n%b' "$report"
[ -z "$failed" ] || fail "failed:$failed"
echo "all passed"
