// SPDX-License-Identifier: GPL-2.0
/* Counts its runs. */
#include "program.h"

SEC("kprobe")
int count_runs(void *ctx)
{
	count(ctx);
	return 0;
}
