#!/usr/bin/env bash
# Checks for the tools that building needs and names each one that is missing.
#   scripts/need.sh [web]     with `web`, also what the web UI needs
set -euo pipefail
. "$(dirname "$0")/lib.sh"

has cargo || fail "Rust is missing: install it with rustup (https://rustup.rs); the version comes from rust-toolchain.toml"
if ! has cc && ! has clang; then
  if may_install; then
    install_packages build-essential
  else
    fail "a C compiler is missing (SQLite is compiled in): install build-essential on Debian, or run xcode-select --install on macOS"
  fi
fi

if [ "${1:-}" = web ]; then
  has node || fail "Node is missing: install Node 20.19 or newer (https://nodejs.org)"
  has npm || fail "npm is missing: it comes with Node from https://nodejs.org, or as the package npm"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
    || fail "Node $(node --version) is too old: 20.19 or newer is needed"
fi
