// SPDX-License-Identifier: GPL-2.0
/* Finds functions by pattern. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include "libbprobe.h"

struct matching {
	const char *pattern;
	struct bprobe_function *functions;
	size_t count, room;
	int failed;
};

static void add(const char *name, uint64_t address, void *argument)
{
	struct matching *matching = argument;
	struct bprobe_function *grown;

	if (matching->failed || fnmatch(matching->pattern, name, 0))
		return;
	if (matching->count == matching->room) {
		matching->room = matching->room ? matching->room * 2 : 1024;
		grown = realloc(matching->functions, matching->room * sizeof(*grown));
		matching->failed = !grown;
		if (!grown)
			return;
		matching->functions = grown;
	}
	matching->functions[matching->count++] = (struct bprobe_function){.address = address};
}

static int by_address(const void *a, const void *b)
{
	const struct bprobe_function *first = a, *second = b;

	return first->address < second->address ? -1 : first->address > second->address;
}

int bprobe_match(int device, const char *pattern, uint32_t max, struct bprobe_function **functions)
{
	struct bprobe_symbols *symbols = bprobe_symbols_load();
	struct matching matching = {.pattern = pattern};
	struct bprobe_check check;
	uint64_t address, last = 0;
	size_t count = 0;

	if (!symbols)
		return -1;
	bprobe_symbols_each(symbols, add, &matching);
	bprobe_symbols_free(symbols);
	if (matching.failed) {
		free(matching.functions);
		errno = ENOMEM;
		return -1;
	}
	/* Sorted, so that aliases are neighbours. */
	qsort(matching.functions, matching.count, sizeof(*matching.functions), by_address);
	for (size_t i = 0; i < matching.count && count < max; i++) {
		address = matching.functions[i].address;
		if (address == last || bprobe_check(device, address, &check) || check.reason[0])
			continue;
		last = address;
		matching.functions[count++].address = address;
	}
	*functions = matching.functions;
	return count;
}
