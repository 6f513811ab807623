#!/usr/bin/env bash
# Installs everything that building, testing and running Baton needs on Debian 12.
#   deploy/install-deps.sh          quiet when there is nothing to do; needs root or sudo otherwise
#   deploy/install-deps.sh --list   prints the packages
set -euo pipefail

packages=(
  # tools
  build-essential cmake ninja-build ccache mold pkg-config git ca-certificates curl
  clang-format-14 python3 python3-pip python3-venv
  # rpc
  libgrpc++-dev libgrpc-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  # http, json, configuration, logs, metrics
  libcpp-httplib-dev libboost-dev libsimdjson-dev nlohmann-json3-dev libyaml-cpp-dev
  libspdlog-dev prometheus-cpp-dev libcurl4-openssl-dev libssl-dev zlib1g-dev
  # numerics, text, hashing, terminal
  libdnnl-dev libonig-dev libxxhash-dev libedit-dev
  # tests
  libgtest-dev libgmock-dev libbenchmark-dev
)

# Rust, for the grammar engine: of the security archive, unless a new enough one is on PATH already.
cargo_min=1.87
cargo_found=$(cargo --version 2>/dev/null | cut -d' ' -f2 || true)
if [[ $(printf '%s\n' "$cargo_min" "${cargo_found:-0}" | sort -V | head -n 1) != "$cargo_min" ]]; then
  packages+=(cargo-web)
fi

if [[ ${1:-} == --list ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' 2>/dev/null | awk '$1 == "ii" {print $2}')
missing=()
for package in "${packages[@]}"; do
  grep -qx -- "$package" <<<"$installed" || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || {
    echo "install-deps: root or sudo is needed to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -qq &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "install-deps: apt-get failed" >&2
  exit 1
fi
