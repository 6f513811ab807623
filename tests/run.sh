#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
#   tests/run.sh                       release binaries: every test, the end-to-end ones included
#   tests/run.sh --sanitize address    unit, conformance and integration tests, address + undefined
#   tests/run.sh --sanitize thread     the tests with the label `tsan`
#   tests/run.sh --full                also what takes long (more models, more fuzz)
# Shared test data is read from ../shared or $BATON_TEST_DATA; what is absent is skipped in words.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitize= full=
while [[ $# -gt 0 ]]; do
  case $1 in
    --sanitize) sanitize=${2:-}; shift 2 ;;
    --full) full=1; shift ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
case $sanitize in
  '') preset=release ;;
  address) preset=dev ;;
  thread) preset=tsan ;;
  *) echo "run.sh: --sanitize takes address or thread" >&2; exit 2 ;;
esac
build=build/$preset
jobs=$(nproc)
export BATON_TEST_FULL=$full

deploy/install-deps.sh
fetch() {
  deploy/models.sh "$1" >/dev/null || echo "SKIPPED: the tests that need $1 (it could not be fetched)"
}
fetch smollm2-135m
# Tools and fill-in-the-middle take a model that was trained for them.
[[ -n $sanitize ]] || fetch qwen2.5-coder-0.5b

mkdir -p build
cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 ||
  { tail -n 40 "build/$preset-configure.log" >&2; exit 1; }

# The tests under a label are targets of the same name.
labelled() { ctest --test-dir "$build" -N -L "$1" | sed -n 's/^ *Test *#[0-9]*: //p'; }

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$PWD/tests/tsan.supp halt_on_error=1}
run_ctest() { ctest --test-dir "$build" --output-on-failure --no-tests=error "$@"; }

case $sanitize in
  '')
    cmake --build "$build" --parallel "$jobs"
    run_ctest --parallel "$jobs"
    tests/e2e/run.sh
    ;;
  address)
    cmake --build "$build" --parallel "$jobs"
    run_ctest --parallel "$jobs"
    ;;
  thread)
    mapfile -t targets < <(labelled tsan)
    cmake --build "$build" --parallel "$jobs" --target "${targets[@]}"
    run_ctest --parallel "$jobs" -L tsan
    ;;
esac
