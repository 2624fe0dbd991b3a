/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fentry and fexit: an array with the arguments, then the return value. All
 * functions that are probed have six arguments or more.
 */
#include "self.h"

#define ARGUMENTS 6

#define SECTION "fentry"

static always_inline void read_arguments(__u64 *ctx, __u64 words[BPROBE_REGS_WORDS])
{
	words[DI] = ctx[0];
	words[SI] = ctx[1];
	words[DX] = ctx[2];
	words[CX] = ctx[3];
	words[R8] = ctx[4];
	words[R9] = ctx[5];
}

static always_inline void read_regs(__u64 *ctx, __u64 regs[BPROBE_REGS_WORDS])
{
	__builtin_memset(regs, 0, BPROBE_REGS_WORDS * sizeof(__u64));
	read_arguments(ctx, regs);
#ifdef SEES_COOKIE
	/* Kernels with cookies have this, too; at an entry it fails. */
	if (bpf_get_func_ret(ctx, &regs[AX]))
		regs[AX] = 0;
#else
	struct self *found = self_of(ctx);

	/* The return value follows the last argument. */
	if (found && found->result < 32)
		bpf_probe_read(&regs[AX], sizeof(regs[AX]), ctx + found->result);
#endif
}

static always_inline void read_ext(__u64 *ctx, struct bprobe_ext *ext)
{
	if (!begin_ext(ctx, ext))
		return;
	read_arguments(ctx, ext->entry);
	bpf_probe_read(ext->stack, 2 * sizeof(ext->stack[0]), ctx + ARGUMENTS);
}
