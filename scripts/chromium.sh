#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome for the browser tests; installs Debian's chromium when
# it may. CHROMIUM_PATH names another one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

find_browser() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if has "$name"; then
      command -v "$name"
      return
    fi
  done
  for name in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "$HOME/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if [ -x "$name" ]; then
      echo "$name"
      return
    fi
  done
}

if [ -n "${CHROMIUM_PATH:-}" ]; then
  [ -x "$CHROMIUM_PATH" ] || fail "CHROMIUM_PATH is $CHROMIUM_PATH, which cannot be run"
  echo "$CHROMIUM_PATH"
  exit 0
fi
browser=$(find_browser)
if [ -z "$browser" ] && may_install; then
  install_packages chromium
  browser=$(find_browser)
fi
[ -n "$browser" ] || fail "no Chromium or Chrome found: install one (Debian: apt install chromium) or set CHROMIUM_PATH"
echo "$browser"
