/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Common to all programs. They have to load on Linux 4.15: no global data, no
 * calls between functions, no loops, no atomic that returns a value.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "events.h"

#define always_inline inline __attribute__((always_inline))

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

/* The extension block lies behind the registers, out of reach of direct loads. */
static always_inline int read_ext(void *ctx, struct bprobe_ext *ext)
{
	return bpf_probe_read(ext, sizeof(*ext), (char *)ctx + BPROBE_EXT_OFFSET);
}

static always_inline struct counter *counter_of(void *ctx)
{
	__u64 cookie = 0;
	__u32 key;

	bpf_probe_read(&cookie, sizeof(cookie),
		       (char *)ctx + BPROBE_EXT_OFFSET + __builtin_offsetof(struct bprobe_ext, cookie));
	key = cookie % COUNTERS;
	return bpf_map_lookup_elem(&counters, &key);
}

static always_inline void count(void *ctx)
{
	struct counter *counter = counter_of(ctx);

	if (counter)
		__sync_fetch_and_add(&counter->count, 1);
}

char _license[] SEC("license") = "GPL";

#endif
