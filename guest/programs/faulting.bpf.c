// SPDX-License-Identifier: GPL-2.0
/* Reads from where nothing is. */
#include "program.h"

/* The hole that x86-64 reserves below the direct map: canonical, never mapped. */
#define HOLE ((void *)0xffff800000001000ull)

PROGRAM(faulting, ctx)
{
	struct counter *counter = counter_of(ctx);
	__u64 nothing;

	if (!counter)
		return 0;
	counter->result = bpf_probe_read(&nothing, sizeof(nothing), HOLE);
	__sync_fetch_and_add(&counter->count, 1);
	return 0;
}
