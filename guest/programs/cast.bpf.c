// SPDX-License-Identifier: GPL-2.0
/* Reads the extension block by a load of its own. The verifier removes its call, and inlines the look-up. Linux 6.2. */
#include "program.h"

/* The kernel's own, but named here to be found in its BTF. */
struct pt_regs {
	__u64 words[BPROBE_REGS_WORDS];
} __attribute__((preserve_access_index));

extern void *bpf_rdonly_cast(void *object, __u32 type) __ksym;

PROGRAM(cast, ctx)
{
	struct counter *counter;
	__u32 key = 0;

	counter = bpf_map_lookup_elem(&counters, &key);
	if (counter)
		counter->result = *(__u64 *)bpf_rdonly_cast((char *)ctx + BPROBE_EXT_OFFSET + __builtin_offsetof(struct bprobe_ext, function),
				__builtin_btf_type_id(*(struct pt_regs *)0, 1));
	return 0;
}
