#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run as root on Debian: installs Slurm if it is missing, makes this machine a cluster of one node, submits ci/slurm.sh
# as a job array, and checks that the merged result equals one whole run, cell by cell. What was installed is removed
# again. OPTIONS are those of `probe-matrix run`; DEADLINE is the time limit of the jobs in seconds (default: 3600).
set -euo pipefail
cd "$(dirname "$0")/.."
export OPTIONS=${OPTIONS:---kernel debian-6.1 --kernel debian-6.12 --match module/* --match return/return-value}
export PROBE_MATRIX_CACHE=${PROBE_MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/probe-matrix}
parts_count=3
place=$(mktemp -d)
policy=${POLICY:-/usr/sbin/policy-rc.d}
made_policy=
pids=()
jobs=()

undo() {
	# If a step fails, the others still have to be undone.
	set +e
	if [ ${#jobs[@]} -gt 0 ]; then
		# A job step outlives slurmd, which is killed next.
		scancel "${jobs[@]}" 2>/dev/null
		for _ in {1..50}; do [ -n "$(squeue -h 2>/dev/null)" ] || break; sleep 0.2; done
	fi
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	if [ -e "$place/before" ]; then
		installed=$(packages | comm -13 "$place/before" - | tr '\n' ' ')
		if [ -z "$installed" ]; then :
		elif apt-get purge -y $installed >/dev/null 2>&1; then echo "removed: $installed"
		else echo "slurm.sh: these could not be removed: $installed" >&2; fi
	fi
	allow_services
	rm -rf "$place"
}
trap undo EXIT

forbid_services() {
	[ ! -e "$policy" ] || return 0
	made_policy=1
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod +x "$policy"
}

allow_services() {
	[ -z "$made_policy" ] || rm -f "$policy"
	made_policy=
}

# Packages that are more than leftover configuration, including half-installed ones.
packages() {
	dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^.[^nc].//p' | sort
}

missing=
for name in slurmctld slurmd munged sinfo sbatch squeue scontrol scancel; do
	command -v "$name" >/dev/null || missing=1
done
if [ -n "$missing" ]; then
	apt-get update -qq
	packages >"$place/packages"
	mv "$place/packages" "$place/before"
	# Keep installed packages from starting their services.
	forbid_services
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
	allow_services
fi

# Keys, sockets and state of the cluster are in a private directory.
mkdir -m 0755 "$place"/{munge,spool,state}
chmod 0755 "$place"
head -c 1024 /dev/urandom >"$place/munge/key"
chmod 0400 "$place/munge/key"
cat >"$place/slurm.conf" <<CONF
ClusterName=throwaway
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30001 + RANDOM % 10000))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$place/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MinJobAge=3600
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
printf 'CgroupAutomount=no\nIgnoreSystemd=yes\n' >"$place/cgroup.conf"
export SLURM_CONF=$place/slurm.conf
munged --foreground --force --key-file="$place/munge/key" --socket="$place/munge/socket" --pid-file="$place/munge/pid" \
	--seed-file="$place/munge/seed" >"$place/munge.log" 2>&1 &
pids+=($!)
for _ in {1..50}; do [ -S "$place/munge/socket" ] && break; sleep 0.2; done
slurmctld -D -f "$SLURM_CONF" >"$place/slurmctld.log" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" >"$place/slurmd.log" 2>&1 &
pids+=($!)
for _ in {1..100}; do [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && break; sleep 0.3; done
if [ "$(sinfo -h -o %t)" != idle ]; then
	tail "$place"/*.log >&2
	exit 2
fi
echo "cluster: $(sinfo -h -o '%D node, %c CPUs, %t'), $(slurmctld -V)"

export PARTS=$place/parts HISTORY=$place/history
deadline=${DEADLINE:-3600}
submit() { sbatch --parsable --cpus-per-task=1 --mem=0 --output="$place/job-%j.out" "$@"; }
night=$(submit --array=1-$parts_count ci/slurm.sh)
jobs+=("$night")
merge=$(submit --dependency=afterany:"$night" ci/slurm.sh merge "$night")
jobs+=("$merge")
echo "submitted: array $night of $parts_count tasks, merge $merge"
until=$((SECONDS + deadline))
for ((;;)); do
	queue=$(squeue -h)
	[ -n "$queue" ] || break
	if [ $SECONDS -ge $until ]; then
		printf 'slurm.sh: the jobs have not ended within %s s:\n%s\n' "$deadline" "$queue" >&2
		cat "$place"/job-*.out >&2 || true
		exit 1
	fi
	sleep 1
done
jobs=()
scontrol show job -o | sed -E 's/.*JobId=([0-9]+).*JobState=(\w+).* ExitCode=([0-9]+:[0-9]+).* RunTime=(\S+).*/job \1: \2, exit \3, ran \4/'

set -f
npx probe-matrix run $OPTIONS --json "$place/whole.jsonl" >/dev/null
set +f
if npx probe-matrix compare "$place/whole.jsonl" "$PARTS/$night.jsonl" | tee "$place/comparison" | grep -qx 'no difference'; then
	cat "$place/comparison"
	ls "$PARTS"
	echo 'the parts are the whole'
else
	cat "$place/comparison" "$place"/job-*.out
	exit 1
fi
