// SPDX-License-Identifier: GPL-2.0
/* The agent of a guest without a suite. */
#include "core.h"

const struct operation suite_operations[] = {{0}};

void after_operation(void)
{
}
