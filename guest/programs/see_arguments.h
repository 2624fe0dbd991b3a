/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fentry and fexit: an array with the arguments, then the return value. All
 * functions that are probed have six arguments or more.
 */
#include "self.h"

#define ARGUMENTS 6

#define SECTION "fentry"

static always_inline void read_regs(__u64 *ctx, __u64 regs[BPROBE_REGS_WORDS])
{
	struct self *found = self_of();

	__builtin_memset(regs, 0, BPROBE_REGS_WORDS * sizeof(__u64));
	regs[DI] = ctx[0];
	regs[SI] = ctx[1];
	regs[DX] = ctx[2];
	regs[CX] = ctx[3];
	regs[R8] = ctx[4];
	regs[R9] = ctx[5];
	/* The return value follows the last argument, whose number only newer kernels tell. */
	if (found && found->result < 32)
		bpf_probe_read(&regs[AX], sizeof(regs[AX]), ctx + found->result);
}

static always_inline void read_ext(__u64 *ctx, struct bprobe_ext *ext)
{
	struct self *found = self_of();

	__builtin_memset(ext, 0, sizeof(*ext));
	if (!found)
		return;
	ext->cookie = found->cookie;
	ext->function = found->function;
	ext->entry[DI] = ctx[0];
	ext->entry[SI] = ctx[1];
	ext->entry[DX] = ctx[2];
	ext->entry[CX] = ctx[3];
	ext->entry[R8] = ctx[4];
	ext->entry[R9] = ctx[5];
	bpf_probe_read(ext->stack, 2 * sizeof(ext->stack[0]), ctx + ARGUMENTS);
}
