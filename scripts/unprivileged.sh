#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Shows that the harness needs no root: run as root, it runs four cells as nobody, in a copy of this checkout and of the
# downloads in the cache. nobody builds everything and makes the snapshot.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${PROBE_MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/probe-matrix}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
git clone -q . "$place/repo"
cp -a node_modules "$place/repo/"
mkdir -p "$place/cache/trees" "$place/cache/index"
cp -a "$cache"/index/. "$place/cache/index/"
for tree in qemu guest debian-6.1; do cp -a "$(ls -dt "$cache/trees/$tree"-* | head -1)" "$place/cache/trees/"; done
chown -R nobody "$place"
chmod 755 "$place"
cd "$place/repo"
setpriv --reuid nobody --regid nogroup --clear-groups env -u XDG_RUNTIME_DIR HOME="$place" PROBE_MATRIX_CACHE="$place/cache" \
	node_modules/.bin/node harness/cli/main.js run --kernel debian-6.1 --match 'entry/flags*'
