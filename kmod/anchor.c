// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

/*
 * Stays in the filter of our ftrace_ops for ever: an empty filter means every
 * function of the kernel, so removing the last probe would trace them all.
 * Nobody calls it; it is the one function here with a __fentry__ site.
 */
noinline void bprobe_anchor(void)
{
	asm volatile("");
}
