// SPDX-License-Identifier: GPL-2.0
/* Reads all that it is given, and keeps nothing: what a program that looks at its call costs. */
#include "program.h"

struct read {
	__u64 regs[BPROBE_REGS_WORDS];
	struct bprobe_ext ext;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct read);
} place SEC(".maps");

PROGRAM(read_all, ctx)
{
	__u32 key = 0;
	struct read *read = bpf_map_lookup_elem(&place, &key);

	if (!read)
		return 0;
	read_regs(ctx, read->regs);
	read_ext(ctx, &read->ext);
	return 0;
}
