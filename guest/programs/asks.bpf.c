// SPDX-License-Identifier: GPL-2.0
/* Asks the kernel for the cookie that its own probes have. Linux 5.15. */
#include "program.h"

PROGRAM(asks, ctx)
{
	struct counter *counter;
	__u32 key = 0;

	counter = bpf_map_lookup_elem(&counters, &key);
	if (counter)
		counter->result = bpf_get_attach_cookie(ctx) + 1;
	return 0;
}
