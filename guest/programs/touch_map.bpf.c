// SPDX-License-Identifier: GPL-2.0
/* Writes to a hash map: runs kernel code that may be probed itself. */
#include "program.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} touched SEC(".maps");

PROGRAM(touch_map, ctx)
{
	__u32 key = bpf_get_prandom_u32() % 64;
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&touched, &key, &now, BPF_ANY);
	count(ctx);
	return 0;
}
