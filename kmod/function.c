// SPDX-License-Identifier: GPL-2.0
/*
 * What may be probed: functions, and of those not what the probes themselves
 * stand on. A symbol is a function for us if, at its first instruction, the
 * word on top of the stack is the address to return to. Nothing in a kernel
 * says so of a symbol. So it is asked from several sides, and in doubt the
 * answer is no: a return probe on anything else overwrites a word of somebody's
 * stack.
 */
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <asm/unwind.h>

#include "internal.h"

/* What is left to be known by name, and why no rule finds it. */
static const struct {
	const char *name, *reason;
} denied[] = {
	/* Called, and returned from, like functions, but by another task. */
	{"__switch_to", "it returns in another task"},
	{"__switch_to_asm", "it returns in another task"},
	/* Their address is put where a return address was: a ret leads there, with nothing on top of the stack. */
	{"return_to_handler", "it is returned to"},
	{"kretprobe_trampoline", "it is returned to"},
	{"__kretprobe_trampoline", "it is returned to"},
	{"arch_rethook_trampoline", "it is returned to"},
	/* Called, but they set the stack back to its beginning. */
	{"rewind_stack_do_exit", "it does not return on its stack"},
	{"rewind_stack_and_make_dead", "it does not return on its stack"},
};

/* Code that a whole section of the kernel is reserved for, by the symbols around it. */
static struct section {
	const char *begins, *ends, *reason;
	unsigned long from, to;
} sections[] = {
	/* The kernel's own blacklist has these two on most kernels, not on all. */
	{"__entry_text_start", "__entry_text_end", "it is entry code"},
	{"__noinstr_text_start", "__noinstr_text_end", "it is noinstr"},
	/* Jumped to in place of an indirect call or a return: a breakpoint's own handler does that, too. */
	{"__indirect_thunk_start", "__indirect_thunk_end", "it is a thunk"},
	/* Jumps that the kernel rewrites while they are executed: it would write over a breakpoint. */
	{"__static_call_text_start", "__static_call_text_end", "it is a static call"},
};

/*
 * What a __fentry__ site calls. It is copied into the trampolines of ftrace,
 * breakpoints and all, and runs before anybody can know of a recursion. All of
 * it is one file of assembly and so lies in one piece, of which these are
 * parts; labels inside of it are symbols, too.
 */
static const char * const tracer_parts[] = {
	"__fentry__", "ftrace_caller", "ftrace_regs_caller", "ftrace_stub", "ftrace_stub_graph",
	"ftrace_graph_caller", "return_to_handler",
};
#define TRACER_MAX 8192		/* further apart they are not one piece */
static unsigned long tracer_at[ARRAY_SIZE(tracer_parts)], tracer_from, tracer_to;

static unsigned long text_from, text_to;
static const void *in_kernel_text;

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
 * On newer kernels the return thunks lie outside of the section of thunks.
 * Their names are not the kernel's to choose: compilers call __x86_…, and what
 * the kernel puts in its place on some processors is …_return_thunk, and the
 * ret that is safe there. Every return goes by way of them, a handler's, too.
 */
static bool is_thunk(const char *name)
{
	static const char * const ends[] = {"_return_thunk", "_safe_ret", "_untrain_ret"};
	size_t length = strlen(name);
	int i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (length > strlen(ends[i]) && !strcmp(name + length - strlen(ends[i]), ends[i]))
			return true;
	}
	return !strncmp(name, "__x86_", 6);
}

#ifdef CONFIG_UNWINDER_ORC
/*
 * The unwinder has a table of how the stack stands at every instruction. It is
 * asked to take one step from the first instruction of the function, on a
 * stack where only the word on top is an address to return to. What the table
 * does not know, it takes for a frame with a pointer to it, and fails.
 */
static bool returns_to_top(unsigned long address)
{
	unsigned long stack[64], *top = stack + 1, home = (unsigned long)bp_descriptor_open;
	struct unwind_state state;
	struct pt_regs regs;
	int i;

	/* Whatever else it may read leads up the stack, and to no code. */
	for (i = 0; i < ARRAY_SIZE(stack); i++)
		stack[i] = (unsigned long)&stack[ARRAY_SIZE(stack) - 1];
	for (i = 0; i < sizeof(regs) / sizeof(long); i++)
		((unsigned long *)&regs)[i] = (unsigned long)&stack[ARRAY_SIZE(stack) / 2];
	regs.ip = address;
	regs.sp = (unsigned long)top;
	regs.cs = __KERNEL_CS;
	regs.ss = __KERNEL_DS;
	regs.flags = X86_EFLAGS_FIXED;
	*top = home;
	/* From below the top, or some kernels take the step at once. */
	unwind_start(&state, current, &regs, stack);
	if (!unwind_done(&state) && state.ip == address)
		unwind_next_frame(&state);
	return !unwind_done(&state) && state.ip == home && state.sp == (unsigned long)(top + 1);
}

static bool is_called(unsigned long address, bool in_module)
{
	return returns_to_top(address);
}
#else
/* The beginning of what is compiled with frame pointers: push %rbp, and soon mov %rsp,%rbp. */
static bool has_frame(unsigned long address)
{
	u8 code[24];
	int i;

	if (bp_read_nofault(code, (void *)address, sizeof(code)) || code[0] != 0x55)
		return false;
	for (i = 1; i + 3 <= sizeof(code); i++) {
		if (code[i] == 0x48 && code[i + 1] == 0x89 && code[i + 2] == 0xe5)
			return true;
	}
	return false;
}

/*
 * Without that table: what begins like compiled code, or what some code of the
 * kernel calls. Entry code, startup code, templates that are copied, and labels
 * that are jumped to, are neither. Modules have none of these, and call
 * assembly by pointers, which cannot be seen; what they say is believed.
 */
static bool is_called(unsigned long address, bool in_module)
{
	const u8 *code = (const u8 *)text_from, *end = (const u8 *)text_to - 5;

	if (in_module || has_frame(address))
		return true;
	for (; code < end; code++) {
		if (*code == 0xe8 && (unsigned long)code + 5 + *(const s32 *)(code + 1) == address)
			return true;
		if (!((unsigned long)code & 0xffff))
			cond_resched();
	}
	return false;
}
#endif

/* Why the function at @address, @name, must not be probed; NULL if it may be. */
const char *bp_function_denied(unsigned long address, const char *name)
{
	bool in_kernel = (bool)(u8)bp_call(in_kernel_text, address);
	int i;

	if (within_module(address, THIS_MODULE))
		return "it is bprobe's own";
	/* Code of other kinds comes and goes: programs, trampolines, copies of instructions. */
	if (!in_kernel && !bp_module_core_text(address))
		return "it is no code, or code that runs once";
	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		if (!strcmp(name, denied[i].name))
			return denied[i].reason;
	}
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (address >= sections[i].from && address < sections[i].to)
			return sections[i].reason;
	}
	if (is_thunk(name))
		return "it is a thunk";
	if (address >= tracer_from && address < tracer_to)
		return "it is part of ftrace";
	if (is_fragment(name))
		return "it is a part of a function";
	if (bp_kprobe_blacklisted(address))
		return "the kernel forbids it";
	/* A compiler put it there, and so at the beginning of a function. */
	if (bp_ftrace_location(address))
		return NULL;
	return is_called(address, !in_kernel) ? NULL : "it is not known to be called";
}

/* Where the piece of code that @address is in ends. */
static unsigned long end_of(unsigned long address)
{
	char text[KSYM_SYMBOL_LEN], *size;
	unsigned long length;

	sprint_symbol(text, address);
	size = strstr(text, "+0x0/");
	if (!size)
		return address + 1;
	size[strcspn(size, " ")] = '\0';
	return kstrtoul(size + 5, 16, &length) ? address + 1 : address + length;
}

int bp_functions_init(void)
{
	unsigned long first = 0;
	int i;

	text_from = (unsigned long)bp_resolve("_stext");
	text_to = (unsigned long)bp_resolve("_etext");
	in_kernel_text = bp_resolve("core_kernel_text");
	if (!in_kernel_text || (!IS_ENABLED(CONFIG_UNWINDER_ORC) && (!text_from || !text_to)))
		return -ENXIO;
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		sections[i].from = (unsigned long)bp_resolve(sections[i].begins);
		sections[i].to = (unsigned long)bp_resolve(sections[i].ends);
	}
	for (i = 0; i < ARRAY_SIZE(tracer_parts); i++) {
		tracer_at[i] = (unsigned long)bp_resolve(tracer_parts[i]);
		if (!strcmp(tracer_parts[i], "ftrace_caller"))
			first = tracer_at[i];
	}
	if (!first)
		return -ENXIO;
	tracer_from = first;
	tracer_to = end_of(first);
	for (i = 0; i < ARRAY_SIZE(tracer_parts); i++) {
		if (!tracer_at[i] || tracer_at[i] + TRACER_MAX < first || tracer_at[i] > first + TRACER_MAX)
			continue;
		tracer_from = min(tracer_from, tracer_at[i]);
		tracer_to = max(tracer_to, end_of(tracer_at[i]));
	}
	return 0;
}
