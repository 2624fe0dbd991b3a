#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The workload of a guest whose kernel functions are probed. Its results are known beforehand. Exits with 1 and a line
# that names the wrong result.
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT

wrong() { echo "wrong: $*"; exit 1; }
same() { [ "$2" = "$3" ] || wrong "$1: $2, not $3"; }

files() {
	seq 1 5000 > "$d/a" && cp "$d/a" "$d/b" && cmp "$d/a" "$d/b" || wrong files
	same md5 "$(md5sum < "$d/b")" "a5a208cd26b07cadade3450fe14d1d93  -"
	mv "$d/b" "$d/c" && ln "$d/c" "$d/e" && ln -s c "$d/f" && chmod 600 "$d/c" && truncate -s 100 "$d/c"
	same truncate "$(wc -c < "$d/f")" 100
	dd if=/dev/zero of="$d/g" bs=4k count=64 conv=fsync 2>/dev/null
	same dd "$(wc -c < "$d/g")" 262144
	mkdir -p "$d/h/i/j" && find "$d" > /dev/null && rm -r "$d/h" && sync
}

pipes() { same pipes "$(seq 1 20000 | grep -c 7)" 6878; }

network() {
	ip link set lo up 2>/dev/null || ifconfig lo up
	nc -l -p 5001 -e cat "$d/a" &
	listener=$!
	n=0
	until nc 127.0.0.1 5001 < /dev/null > "$d/received" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 50 ] || wrong connect
		sleep 0.1
	done
	wait $listener
	cmp "$d/a" "$d/received" || wrong network
	ping -c 1 -W 5 127.0.0.1 > /dev/null || wrong ping
}

processes() {
	n=0
	while [ $n -lt 20 ]; do n=$((n + 1)); /bin/true || wrong exec; done
	sleep 100 & kill -KILL $!; wait $! 2>/dev/null
	same kill $? 137
	same signal "$(sh -c 'trap "echo caught" USR1; kill -USR1 $$')" caught
	same timeout "$(timeout 1 sleep 100; echo $?)" 143
	same arithmetic "$(awk 'BEGIN {for (i = 0; i < 20000; i++) a[i] = i * i; s = 0; for (i in a) s += a[i] % 7; print s}')" 39998
}

memory() {
	dd if=/dev/zero of="$d/m" bs=1M count=8 2>/dev/null && sort "$d/a" | md5sum > /dev/null
	echo 3 > /proc/sys/vm/drop_caches
	cat /proc/self/maps /proc/self/smaps /proc/meminfo /proc/slabinfo > /dev/null
	[ -e /proc/sys/vm/compact_memory ] && echo 1 > /proc/sys/vm/compact_memory
}

knobs() {
	old=$(cat /proc/sys/kernel/threads-max)
	echo 1500 > /proc/sys/kernel/threads-max
	same sysctl "$(cat /proc/sys/kernel/threads-max)" 1500
	echo "$old" > /proc/sys/kernel/threads-max
	for key in h m w l; do echo $key > /proc/sysrq-trigger; done
	find /proc/sys /proc/fs /proc/net /sys/kernel/slab /sys/class /sys/module -type f 2>/dev/null | head -400 |
		xargs cat > /dev/null 2>&1
	cat /proc/interrupts /proc/stat /proc/vmstat /proc/timer_list /proc/modules > /dev/null
	usleep 1000
}

processors_and_modules() {
	cpu=/sys/devices/system/cpu/cpu1/online
	echo 0 > $cpu && same offline "$(cat $cpu)" 0
	echo 1 > $cpu && same online "$(cat $cpu)" 1
	module=/usr/lib/probe-matrix/fixtures.ko
	rmmod fixtures && insmod $module || wrong module
}

files; pipes; network; processes; memory; knobs; processors_and_modules
echo right
