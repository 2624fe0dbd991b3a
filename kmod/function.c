// SPDX-License-Identifier: GPL-2.0
/*
 * What may be probed: functions, and of those not what the probes themselves
 * stand on. A symbol is a function for us if, at its first instruction, the
 * word on top of the stack is the address to return to. Nothing in a kernel
 * says so of a symbol, and a return probe on anything else overwrites a word of
 * somebody's stack. A breakpoint is the end of a CPU that has no table of
 * handlers yet, as one that comes up: that again no symbol tells.
 *
 * But a compiler puts a __fentry__ site only at the beginning of a function,
 * and the kernel has none where its own tracers must not go: entry and startup
 * code, thunks, static calls, the tracers themselves. So what lies in vmlinux
 * has to have one. That leaves out assembly that would be safe (memcpy), as
 * kprobe_events does; in doubt the answer is no. Modules have no such code, and
 * what they say is a function is believed.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "internal.h"

static const void *in_kernel_text;
static unsigned long kprobes_text, kprobes_text_end;

/*
 * What a compiler appends to a name after a dot, which no source can contain.
 * Copies of a function are called like the function. Everything else is not
 * known to be: a .cold fragment is jumped to from the middle of its function.
 */
static bool is_fragment(const char *name)
{
	static const char * const copies[] = {
		"isra", "constprop", "part", "clone", "llvm", "lto_priv", "localalias", "__uniq",
	};
	const char *part = strchr(name, '.');
	size_t length;
	int i;

	/* What lies before a function, for those who rewrite calls of it, and is not run. */
	if (!strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6))
		return true;
	while (part) {
		part++;
		length = strcspn(part, ". ");
		for (i = 0; i < ARRAY_SIZE(copies); i++) {
			if (strlen(copies[i]) == length && !strncmp(part, copies[i], length))
				break;
		}
		if (i == ARRAY_SIZE(copies) && strspn(part, "0123456789") != length)
			return true;
		part = part[length] == '.' ? part + length : NULL;
	}
	return false;
}

/*
 * The kernel's blacklist holds a copy that lies with what it is kept out of, or
 * whose original it holds. To find the original takes some kernels 30 ms, and
 * every fortieth function is a copy; an attach of many has *@ask_for_original
 * set instead, and looks for all of them at once.
 */
static bool blacklisted(unsigned long address, const char *name, bool in_kernel, bool *ask_for_original)
{
	if (!BP_SLOW_BLACKLIST || !ask_for_original || !in_kernel || !strchr(name, '.'))
		return bp_kprobe_blacklisted(address);
	*ask_for_original = true;
	return address >= kprobes_text && address < kprobes_text_end;
}

/* Why the function at @address, @name, must not be probed; NULL if it may be. */
const char *bp_function_denied(unsigned long address, const char *name, bool *ask_for_original)
{
	bool in_kernel = (bool)(u8)bp_call(in_kernel_text, address);

	if (within_module(address, THIS_MODULE))
		return "it is bprobe's own";
	/* Code of other kinds comes and goes: programs, trampolines, copies of instructions. */
	if (!in_kernel && !bp_module_core_text(address))
		return "it is no code, or code that runs once";
	/* Has a site where the kernel has no assembly for it, and returns in another task. */
	if (!strcmp(name, "__switch_to"))
		return "it returns in another task";
	if (is_fragment(name))
		return "it is a part of a function";
	if (blacklisted(address, name, in_kernel, ask_for_original))
		return "the kernel forbids it";
	if (in_kernel && !bp_ftrace_location(address))
		return "the kernel keeps tracers out of it, or it is no function";
	return NULL;
}

int bp_functions_init(void)
{
	in_kernel_text = bp_resolve("core_kernel_text");
	kprobes_text = (unsigned long)bp_resolve("__kprobes_text_start");
	kprobes_text_end = (unsigned long)bp_resolve("__kprobes_text_end");
	return in_kernel_text ? 0 : -ENXIO;
}
