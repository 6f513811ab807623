#!/usr/bin/env bash
# Time of the quickstart on a fresh Debian 12 that has only git: everything installed and built, in a
# root folder of its own, without a compiler cache.      bar: under 15 minutes on 2 cores
#   tests/bench/fresh_machine.sh [FOLDER]       needs root, debootstrap and Debian's packages
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-/var/tmp/baton-fresh}

if [[ ! -e $root/usr/bin/git ]]; then
  debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" >/dev/null
fi
cp -r /etc/apt/apt.conf.d "$root/etc/apt/"
cp -r /etc/ssl/certs "$root/etc/ssl/"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
for file in /etc/pip.conf /etc/apt/sources.list.d/debian.sources; do
  [[ ! -e $file ]] || cp "$file" "$root$file"
done
rm -rf "$root/srv/baton"
git clone -q "$source" "$root/srv/baton"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
trap 'umount "$root/proc" "$root/dev"' EXIT
time chroot "$root" env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin BATON_PORT="${BATON_PORT:-8123}" \
  CCACHE_DISABLE=1 \
  /srv/baton/deploy/quickstart.sh --once
