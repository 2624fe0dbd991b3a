// SPDX-License-Identifier: GPL-2.0
/* Does nothing but call another program, which it does not return from. */
#include "program.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} next SEC(".maps");

PROGRAM(tail_call, ctx)
{
	bpf_tail_call(ctx, &next, 0);
	return 0;
}
