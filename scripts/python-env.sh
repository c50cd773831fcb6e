#!/usr/bin/env bash
# Makes tests-py/.venv with the packages of tests-py/requirements.txt, once per change of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

stamp=tests-py/.venv/.installed
if [ -f "$stamp" ] && cmp -s "$stamp" tests-py/requirements.txt; then
  exit 0
fi
if ! has python3 || ! python3 -c 'import ensurepip' >/dev/null 2>&1; then
  if may_install; then
    install_packages python3 python3-venv
  else
    fail "Python 3 with venv is missing (a signing library is published for Python alone): install python3 and python3-venv"
  fi
fi
rm -rf tests-py/.venv
python3 -m venv tests-py/.venv
tests-py/.venv/bin/pip install --quiet --disable-pip-version-check -r tests-py/requirements.txt
cp tests-py/requirements.txt "$stamp"
