// SPDX-License-Identifier: GPL-2.0
/* Like read_ax, but of the first word of the context. */
#include "program.h"

PROGRAM(read_r15, ctx)
{
	struct counter *counter;
	__u32 key = 0;

	counter = bpf_map_lookup_elem(&counters, &key);
	if (counter)
		counter->result = ctx[0];
	return 0;
}
