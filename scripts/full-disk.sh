#!/bin/bash
# As root: runs with the cache on disks that are too small, and looks at what is said. Each time it has to be one clear
# sentence, nothing half-made may be left, and with the space that is needed the same cache has to work.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=${PROBE_MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/probe-matrix}
export cache place
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unshare -m bash -uc '
	mount -t tmpfs -o size=1m none "$place"
	export PROBE_MATRIX_CACHE=$place
	for size in 2m 40m 120m 400m; do
		mount -o remount,size=$size "$place"
		if [ $size = 2m ]; then
			dd if=/dev/zero of="$place/filler" bs=1k count=2040 status=none
		else
			rm -f "$place/filler"
			mkdir -p "$place/kernels" "$place/index"
			cp -a "$cache"/kernels/. "$place/kernels/"
		fi
		words=$(node_modules/.bin/node harness/cli/main.ts run --kernel debian-6.1 --match module/loads 2>&1)
		status=$?
		echo "== $size: exit $status"
		grep -E "space|MiB left|pass " <<<"$words" | head -2
		find "$place" -name "*.tmp" -o -name "*.part"
	done
	exit $status
'
