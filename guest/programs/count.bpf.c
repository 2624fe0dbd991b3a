// SPDX-License-Identifier: GPL-2.0
/* Counts its runs. */
#include "program.h"

PROGRAM(count_runs, ctx)
{
	count(ctx);
	return 0;
}
