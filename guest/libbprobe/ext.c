// SPDX-License-Identifier: GPL-2.0
/* The extension block, and the call stack that it completes. */
#include <errno.h>
#include <string.h>
#include "libbprobe.h"

static const char *const register_names[BPROBE_REGS_WORDS] = {
	"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "orig_ax",
	"ip", "cs", "flags", "sp", "ss",
};

int bprobe_register(const uint64_t regs[BPROBE_REGS_WORDS], const char *name, uint64_t *value)
{
	for (int i = 0; i < BPROBE_REGS_WORDS; i++) {
		if (!strcmp(register_names[i], name)) {
			*value = regs[i];
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

int bprobe_argument(const struct bprobe_ext *ext, int n, uint64_t *value)
{
	static const char *const names[] = {"di", "si", "dx", "cx", "r8", "r9"};

	if (n < 0 || n >= 6 + BPROBE_STACK_WORDS) {
		errno = EINVAL;
		return -1;
	}
	if (n >= 6) {
		*value = ext->stack[n - 6];
		return 0;
	}
	return bprobe_register((const uint64_t *)ext->entry, names[n], value);
}

int bprobe_whole_stack(const uint64_t *entries, int count, uint64_t caller, uint64_t *stack, int max)
{
	int stored = 0;

	for (int i = 0; i < count && entries[i] && stored < max; i++) {
		/* Compare only the place of the caller: recursion repeats it elsewhere. */
		if (i == 1 && caller && entries[i] != caller && stored < max)
			stack[stored++] = caller;
		if (stored < max)
			stack[stored++] = entries[i];
	}
	if (stored == 1 && caller && max > 1)
		stack[stored++] = caller;
	return stored;
}
