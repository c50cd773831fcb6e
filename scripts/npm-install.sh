#!/usr/bin/env bash
# Installs a folder's npm packages from its lock file, once per change of the lock file.
#   scripts/npm-install.sh FOLDER
set -euo pipefail
. "$(dirname "$0")/lib.sh"

folder=${1:?usage: scripts/npm-install.sh FOLDER}
[ -f "$folder/package-lock.json" ] || fail "$folder has no package-lock.json"
stamp="$folder/node_modules/.installed"
if [ -f "$stamp" ] && cmp -s "$stamp" "$folder/package-lock.json"; then
  exit 0
fi
(cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
cp "$folder/package-lock.json" "$stamp"
