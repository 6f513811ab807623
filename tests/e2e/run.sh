#!/usr/bin/env bash
# End-to-end tests: the release binaries, driven by the official OpenAI SDK and in a terminal.
#   tests/e2e/run.sh [pytest arguments]
# The Python packages live in an environment of their own under build/, and never at run time.
set -euo pipefail
cd "$(dirname "$0")/../.."

environment=build/e2e-venv
stamp=$environment/$(sha256sum tests/e2e/requirements.txt | cut -c1-16)
if [[ ! -e $stamp ]]; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check -r tests/e2e/requirements.txt
  touch "$stamp"
fi
exec "$environment/bin/python" -m pytest -p no:cacheprovider -q -rs tests/e2e "$@"
