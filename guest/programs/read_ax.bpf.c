// SPDX-License-Identifier: GPL-2.0
/* Reads one register by a load of its own, and calls nothing: the kernel inlines the look-up. */
#include "program.h"

#define AX 10

PROGRAM(read_ax, ctx)
{
	struct counter *counter;
	__u32 key = 0;

	counter = bpf_map_lookup_elem(&counters, &key);
	if (counter)
		counter->result = ctx[AX];
	return 0;
}
