// SPDX-License-Identifier: GPL-2.0
/* Keeps everything that a program can know about a call. */
#include "record.h"

PROGRAM(record, ctx)
{
	keep(ctx);
	return 0;
}
