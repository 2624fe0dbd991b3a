// SPDX-License-Identifier: GPL-2.0
/*
 * Decides what may be probed: only functions, and not those that the probes
 * themselves depend on. A symbol is a function for us if, at its first
 * instruction, the word on top of the stack is the return address. No kernel
 * records that for a symbol, and a return probe on anything else overwrites a
 * word of some stack. Nor does a symbol tell whether its code runs before a CPU
 * that comes up has loaded its IDT, where a breakpoint kills that CPU.
 *
 * But a compiler puts a __fentry__ site only at the start of a function, and
 * the kernel has none where its own tracers must not go: entry and startup
 * code, thunks, static calls, the tracers themselves. So a function of vmlinux
 * must have one. That leaves out assembly that would be safe (memcpy), as
 * kprobe_events does; in doubt the answer is no. In a module, a symbol without a
 * site is trusted if it has a size: assembly has labels inside of its functions,
 * which have none.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "internal.h"

static const void *in_kernel_text;
static unsigned long kprobes_text, kprobes_text_end;

/*
 * Compilers append suffixes to a name after a dot, which no name in source can
 * contain. A copy of a function is called like the function. Code with any
 * other suffix may not be: a .cold fragment is jumped to from the middle of its
 * function.
 */
static bool is_fragment(const char *name)
{
	static const char * const copies[] = {
		"isra", "constprop", "part", "clone", "llvm", "lto_priv", "localalias", "__uniq",
	};
	const char *part = strchr(name, '.');
	size_t length;
	int i;

	/* Bytes before a function, for code that rewrites its calls; they are not run. */
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

/* Code that only its name tells from what may be probed: why it may not be, or NULL. */
static const char *unfit(const char *name)
{
	if (!strcmp(name, "__switch_to"))
		return "it returns in another task";
	/* A program's exception: without the frames above our trampoline it dereferences NULL. */
	if (!strcmp(name, "bpf_throw") || !strcmp(name, "arch_bpf_stack_walk"))
		return "it walks the stack and depends on what it finds";
	/*
	 * A CPU that goes off ends in them. When it comes back, it begins at the top
	 * of the stack of its idle task, which never ends: the frame would stay.
	 */
	if (!strcmp(name, "cpu_startup_entry") || !strcmp(name, "do_idle") ||
	    !strcmp(name, "arch_cpu_idle_dead") || strstr(name, "play_dead"))
		return "it does not return, and its task lives on";
	/* The kernel checks the bytes before it rewrites them, and dies of a breakpoint. */
	if (!strncmp(name, "__SCT__", 7))
		return "it is a static call, which the kernel rewrites";
	return NULL;
}

/*
 * The kernel's blacklist covers a copy that lies in .kprobes.text, or whose
 * original it covers. Looking up the original takes 30 ms on some kernels, and
 * every fortieth function is a copy. For an attach of many functions this sets
 * *@ask_for_original instead, and the caller looks up all originals at once.
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
	const char *why = unfit(name);

	if (within_module(address, THIS_MODULE))
		return "it is bprobe's own";
	/* Other code comes and goes: BPF programs, trampolines, copied instructions. */
	if (!in_kernel && !bp_module_core_text(address))
		return "it is no code, or code that runs once";
	if (is_fragment(name))
		return "it is a part of a function";
	if (why)
		return why;
	if (blacklisted(address, name, in_kernel, ask_for_original))
		return "the kernel forbids it";
	if (bp_ftrace_location(address))
		return NULL;
	if (in_kernel)
		return "the kernel keeps tracers out of it, or it is no function";
	return bp_module_label(address) ? "it is a label: its symbol has no size" : NULL;
}

int bp_functions_init(void)
{
	in_kernel_text = bp_resolve("core_kernel_text");
	kprobes_text = (unsigned long)bp_resolve("__kprobes_text_start");
	kprobes_text_end = (unsigned long)bp_resolve("__kprobes_text_end");
	return in_kernel_text ? 0 : -ENXIO;
}
