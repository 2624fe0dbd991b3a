// SPDX-License-Identifier: GPL-2.0
/* Checks every register of a loop's call at its entry. */
#include "verify.h"

PROGRAM(verify_entry, ctx)
{
	struct bprobe_ext *ext = ext_of(ctx);
	__u64 base = ctx[R15], wrong;

	if (!ext)
		return 0;
	wrong = wrong_gprs(ctx, base, FX_STEP_IN);
	wrong |= wrong_flags(ctx[FLAGS], base);
	CHECK(wrong, ext->entry[R15], base);
	wrong |= wrong_ext(ctx, ext);
	judge(ctx, wrong);
	return 0;
}
