#!/usr/bin/env bash
# From a clone to a model that answers: installs, builds, fetches SmolLM2, serves it on this
# machine's CPU, asks one question.
#   deploy/quickstart.sh           on a terminal, keeps serving until Ctrl-C
#   deploy/quickstart.sh --once    stops after the answer
# BATON_PORT (8000) chooses the port, BATON_MODELS where models are kept.
set -euo pipefail
cd "$(dirname "$0")/.."

once=
case ${1:-} in
  --once) once=1 ;;
  '') [[ -t 0 && -t 1 ]] || once=1 ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
port=${BATON_PORT:-8000}
model=smollm2-135m
question="What is the capital of Japan?"
started=$SECONDS

step() { printf '\n== %s\n' "$*"; }

step "1/4 dependencies"
deploy/install-deps.sh

step "2/4 build (the first one takes some minutes)"
cmake --preset release -DBATON_TESTS=OFF >build.log 2>&1 || { tail -n 30 build.log >&2; exit 1; }
cmake --build build/release --target baton baton-frontend baton-router baton-worker
rm -f build.log

step "3/4 model $model"
deploy/models.sh "$model"

step "4/4 serve"
server_log=$(mktemp)
# In a process group of its own, so that Ctrl-C reaches it once: from here.
set -m
build/release/bin/baton serve "$model" --port "$port" >"$server_log" 2>&1 </dev/null &
server=$!
set +m
stop() {
  trap 'kill -TERM "$server" 2>/dev/null || true' INT TERM HUP  # again: it does not wait
  kill -TERM "$server" 2>/dev/null || true
  while kill -0 "$server" 2>/dev/null; do wait "$server" 2>/dev/null || true; done
  rm -f "$server_log"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP
# Its own word, not an answer on the port: somebody else may listen there.
for _ in $(seq 600); do
  grep -q '^Ready ' "$server_log" && break
  if ! kill -0 "$server" 2>/dev/null; then
    cat "$server_log" >&2
    echo "quickstart: the server did not start" >&2
    exit 1
  fi
  sleep 0.1
done

printf '\nyou:   %s\nmodel: ' "$question"
build/release/bin/baton chat --url "http://127.0.0.1:$port/v1" --temperature 0 --quick "$question"

cat <<TEXT

Ready after $((SECONDS - started)) s. The server speaks the OpenAI API at http://127.0.0.1:$port/v1:

  build/release/bin/baton chat --url http://127.0.0.1:$port/v1
  curl http://127.0.0.1:$port/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"messages": [{"role": "user", "content": "Tell me a joke."}], "stream": true}'

Serve it again at any time with: build/release/bin/baton serve $model
TEXT
if [[ -z $once ]]; then
  echo "Serving until Ctrl-C."
  wait "$server"
fi
