/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kprobe, kretprobe, kprobe.multi: struct pt_regs. What bprobe's extension
 * block holds is made from it at the entry; at the return it is not known.
 */
#include "self.h"

#define SECTION "kprobe"

static always_inline void read_ext(__u64 *ctx, struct bprobe_ext *ext)
{
	struct self *found = begin_ext(ctx, ext);

	if (!found || found->point != BPROBE_ENTRY)
		return;
	bpf_probe_read(ext->entry, sizeof(ext->entry), ctx);
	bpf_probe_read(&ext->caller, sizeof(ext->caller), (void *)ctx[SP]);
	bpf_probe_read(ext->stack, sizeof(ext->stack), (void *)(ctx[SP] + 8));
}
