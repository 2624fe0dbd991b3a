#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run as root: runs with the cache on disks that are too small and shows the messages. Each run must end with one clear
# sentence and leave no partial files, and with enough space the same cache must work.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=${PROBE_MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/probe-matrix}
place=$(mktemp -d)
events=$(mktemp)
export cache place events
trap 'rm -rf "$place" "$events"' EXIT
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
		words=$(node_modules/.bin/node harness/cli/main.js run --kernel debian-6.1 --match module/loads 2>&1)
		status=$?
		echo "== $size: exit $status"
		grep -E "space|MiB left|pass " <<<"$words" | head -2
		find "$place" -name "*.tmp" -o -name "*.part"
	done
	exit $status
' || exit

# A history on a full disk: what does not fit is reported, what fits is kept, and with more space everything works
# again.
unshare -m bash -uc '
	mount -t tmpfs -o size=64k none "$place"
	node=node_modules/.bin/node
	$node --input-type=module -e "
		const {asText, fakeRun} = await import(\"$PWD/harness/test/fake-run.ts\");
		const cells = Object.fromEntries(Array.from({length: 1000}, (_, n) => [\"k a/case-\" + n, \"pass\"]));
		process.stdout.write(asText(fakeRun({cells})));
	" >"$events"
	problems=0
	# expect STATUS WORDS COMMAND…
	expect() {
		words=$($node harness/cli/main.js "${@:3}" 2>&1 >/dev/null)
		status=$?
		echo "== history, $3: exit $status: $(tail -1 <<<"$words" | cut -c1-100)"
		[ $status -eq "$1" ] && grep -q "$2" <<<"$words" || problems=1
	}
	expect 2 "The history lacks the end of this run" merge "$events" --history "$place"
	expect 2 "There is no space left on the disk" history list --history "$place"
	mount -o remount,size=4m "$place"
	expect 0 "" history list --history "$place"
	$node harness/cli/main.js history list --history "$place" | grep interrupted || problems=1
	exit $problems
'
