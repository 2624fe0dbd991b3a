#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A job array with one shard per task, on nodes that share this directory:
#   night=$(sbatch --parsable --array=1-4 ci/slurm.sh)
#   sbatch --dependency=afterany:$night ci/slurm.sh merge "$night"
# OPTIONS are options of `probe-matrix run` (default: --kernel all); all tasks need the same.
#SBATCH --job-name=probe-matrix
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=03:00:00
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
parts=${PARTS:-$PWD/parts}
history=${HISTORY:-$PWD/history}
mkdir -p "$parts"

if [ "${1:-}" = merge ]; then
	status=0
	npx probe-matrix merge "$parts/$2"-*.jsonl --json "$parts/$2.jsonl" --history "$history" || status=$?
	[ $status -ne 2 ] || exit 2
	# The next night is sharded by the durations of this one.
	cp "$parts/$2.jsonl" "$parts/times"
	npx probe-matrix history prune --history "$history" --keep 60
	npx probe-matrix report "$parts/$2.jsonl" --history "$history" --baseline last-green --out "$parts/$2.html"
	npx probe-matrix report "$parts/$2.jsonl" --format junit --out "$parts/$2.xml"
	exit $status
fi

# Each node has its own cache, which must not be shared over a network.
export PROBE_MATRIX_CACHE=${PROBE_MATRIX_CACHE:-/var/tmp/probe-matrix-$USER}
# Not --history: several nodes must not use its index at once.
times=
[ ! -s "$parts/times" ] || times="--timings $parts/times"
# Split OPTIONS into words, but do not expand globs.
set -f
exec npx probe-matrix run ${OPTIONS:---kernel all} \
	--shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" $times \
	--json "$parts/$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID.jsonl"
