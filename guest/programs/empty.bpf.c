// SPDX-License-Identifier: GPL-2.0
/* Nothing: what a probe costs by itself. */
#include "program.h"

PROGRAM(empty, ctx)
{
	return 0;
}
