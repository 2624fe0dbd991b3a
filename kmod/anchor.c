// SPDX-License-Identifier: GPL-2.0
#include "internal.h"

/*
 * Always in the filter of our ftrace_ops. An empty filter means every function
 * of the kernel, so without the anchor removing the last probe would trace them
 * all. Nothing calls this function. It is the only one of this module with a
 * __fentry__ site.
 */
noinline void bprobe_anchor(void)
{
	asm volatile("");
}
