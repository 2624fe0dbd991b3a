// SPDX-License-Identifier: GPL-2.0
/* Runs for about a millisecond. */
#include "program.h"

#define HALF 32768

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[2 * HALF]);
} ballast SEC(".maps");

#define LATE (bpf_ktime_get_ns() - start > 1000000)
#define COPY do { if (LATE) goto done; bpf_probe_read(bytes, HALF, bytes + HALF); } while (0)
#define COPY5 do { COPY; COPY; COPY; COPY; COPY; } while (0)
#define COPY25 do { COPY5; COPY5; COPY5; COPY5; COPY5; } while (0)

PROGRAM(slow, ctx)
{
	__u64 start = bpf_ktime_get_ns();
	struct counter *counter;
	__u32 key = 0;
	char *bytes = bpf_map_lookup_elem(&ballast, &key);

	if (!bytes)
		return 0;
	COPY25; COPY25; COPY25; COPY25; COPY25; COPY25; COPY25; COPY25;
done:
	counter = counter_of(ctx);
	if (!counter)
		return 0;
	counter->last = bpf_ktime_get_ns();
	__sync_fetch_and_add(&counter->count, 1);
	return 0;
}
