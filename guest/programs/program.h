/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Common to all programs. Each is compiled once for every way in which a
 * program gets what it sees (see_*.h), so that no program knows which mechanism
 * runs it. They have to load on Linux 4.15: no global data, no calls between
 * functions, no loops, no atomic that returns a value.
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

/* Followed by the body, which returns an int. */
#define PROGRAM(name, ctx)				\
static always_inline int run(__u64 *ctx);		\
SEC(SECTION)						\
int name(__u64 *ctx)					\
{							\
	return run(ctx);				\
}							\
static always_inline int run(__u64 *ctx)

#ifndef SEES_ARGUMENTS
static always_inline void read_regs(void *ctx, __u64 regs[BPROBE_REGS_WORDS])
{
	bpf_probe_read(regs, BPROBE_REGS_WORDS * sizeof(__u64), ctx);
}
#endif

#ifdef SEES_REGISTERS
#include "see_registers.h"
#elif defined(SEES_ARGUMENTS)
#include "see_arguments.h"
#else
#include "see_extension.h"
#endif

static always_inline struct counter *counter_of(void *ctx)
{
	__u32 key = cookie_of(ctx) % COUNTERS;

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
