// SPDX-License-Identifier: GPL-2.0
/* Checks every register of a loop's call at its return, and that its entry registers are those of the same call. */
#include "verify.h"

#ifdef SEES_REGISTERS
/*
 * Without the entry's registers the pattern comes from r15. A compiled function
 * keeps it, and r14, as they were at the entry.
 */
static always_inline __u64 wrong_return(const __u64 *ctx)
{
	__u64 base = ctx[R15], wrong = 0;

	if (ctx[R14] - ctx[R15] == FX_STEP_IN) {
		CHECK_GPR(wrong, ctx, R13, base, FX_STEP_IN);
		CHECK_GPR(wrong, ctx, R12, base, FX_STEP_IN);
		CHECK_GPR(wrong, ctx, BX, base, FX_STEP_IN);
		CHECK(wrong, ctx[AX], base + FX_RET + AX * FX_STEP_RET);
		return wrong | (ctx[FLAGS] & DIRECTION);
	}
	return wrong_gprs(ctx, base, FX_STEP_RET) | wrong_flags(ctx[FLAGS], (base - FX_RET) >> 16);
}

PROGRAM(verify_return, ctx)
{
	judge(ctx, wrong_return(ctx));
	return 0;
}
#else
/* A compiled function keeps these, and chooses no other but rax. */
static always_inline __u64 wrong_compiled(const __u64 *ctx, const __u64 *entry)
{
	__u64 wrong = ctx[FLAGS] & DIRECTION;

	CHECK(wrong, ctx[R14], entry[R14]);
	CHECK(wrong, ctx[R13], entry[R13]);
	CHECK(wrong, ctx[R12], entry[R12]);
	CHECK(wrong, ctx[BP], entry[BP]);
	CHECK(wrong, ctx[BX], entry[BX]);
	CHECK(wrong, ctx[AX], entry[R15] + FX_RET + AX * FX_STEP_RET);
	return wrong;
}

PROGRAM(verify_return, ctx)
{
	struct bprobe_ext *ext = ext_of(ctx);
	__u64 base, wrong;

	if (!ext)
		return 0;
	base = ext->entry[R15];
	if (ctx[R15] == base) {
		wrong = wrong_compiled(ctx, (const __u64 *)ext->entry);
	} else {
		wrong = wrong_gprs(ctx, base + FX_RET, FX_STEP_RET);
		wrong |= wrong_flags(ctx[FLAGS], base >> 16);
	}
	judge(ctx, wrong | wrong_ext(ctx, ext));
	return 0;
}
#endif
