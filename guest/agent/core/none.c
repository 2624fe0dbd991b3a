// SPDX-License-Identifier: GPL-2.0
/* The agent that a guest boots with. */
#include "core.h"

const struct operation suite_operations[] = {{0}};

void after_operation(void)
{
}

void before_module_change(const char *module)
{
	(void)module;
}

json_t *leftovers(void)
{
	return json_array();
}
