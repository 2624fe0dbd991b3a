#!/bin/bash
# As root, on Debian: installs slurm-wlm where it is missing, makes this machine a cluster of one node, submits ci/slurm.sh
# as a job array, and looks whether the merged result is the same as one whole run, cell for cell. What was installed is
# removed again. OPTIONS are those of `probe-matrix run`.
set -euo pipefail
cd "$(dirname "$0")/.."
export OPTIONS=${OPTIONS:---kernel debian-6.1 --kernel debian-6.12 --match module/* --match return/return-value}
export PROBE_MATRIX_CACHE=${PROBE_MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/probe-matrix}
parts_count=3
place=$(mktemp -d)
installed=
pids=()

undo() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	[ -z "$installed" ] || { apt-get purge -y $installed >/dev/null 2>&1; echo "removed: $installed"; }
	rm -rf "$place"
}
trap undo EXIT

if ! command -v slurmctld slurmd munged >/dev/null; then
	# Nothing that is installed may start a service of its own.
	policy=/usr/sbin/policy-rc.d
	[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made_policy=1; }
	before=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
	after=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' | sort)
	installed=$(comm -13 <(echo "$before") <(echo "$after") | tr '\n' ' ')
	[ -z "${made_policy:-}" ] || rm $policy
fi

# Keys, sockets and state of the cluster are in a place of their own.
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
submit() { sbatch --parsable --cpus-per-task=1 --mem=0 --output="$place/job-%j.out" "$@"; }
night=$(submit --array=1-$parts_count ci/slurm.sh)
merge=$(submit --dependency=afterany:"$night" ci/slurm.sh merge "$night")
echo "submitted: array $night of $parts_count tasks, merge $merge"
while [ -n "$(squeue -h)" ]; do sleep 1; done
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
