// SPDX-License-Identifier: GPL-2.0
/*
 * Finds functions that kernels do not export, or no longer export.
 */
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

#ifndef BP_KALLSYMS_EXPORTED
static const void *kallsyms_lookup_name_address;
#endif
static const void *ftrace_location_address;
static const void *in_kprobe_blacklist;
static const void *module_of_text;
static const void *graph_ret_addr;		/* NULL without the function graph tracer */
static unsigned long graph_return;

static const char * const return_hooks[] = {
	"return_to_handler", "kretprobe_trampoline", "__kretprobe_trampoline", "arch_rethook_trampoline",
};
static unsigned long return_hook_addresses[ARRAY_SIZE(return_hooks)];

/*
 * The address of a kernel symbol, NULL if there is none. Since 5.7
 * kallsyms_lookup_name() is not exported. But a kprobe can be registered by
 * name, and then holds the address.
 */
const void *bp_resolve(const char *name)
{
#ifdef BP_KALLSYMS_EXPORTED
	return (const void *)kallsyms_lookup_name(name);
#else
	return (const void *)bp_call(kallsyms_lookup_name_address, name);
#endif
}

#ifndef BP_KALLSYMS_EXPORTED
static int find_kallsyms_lookup_name(void)
{
	/* Never armed: to disarm it, the kernel may have no memory, and then keeps it. */
	struct kprobe kprobe = {.symbol_name = "kallsyms_lookup_name", .flags = KPROBE_FLAG_DISABLED};
	char text[KSYM_SYMBOL_LEN];
	unsigned long address;
	int err = register_kprobe(&kprobe);

	if (err)
		return err;
	address = (unsigned long)kprobe.addr;
	unregister_kprobe(&kprobe);
	/* After an ENDBR, the kprobe's address is four bytes in. */
	sprint_symbol(text, address);
	if (!strncmp(text, "kallsyms_lookup_name+0x4/", 25))
		address -= 4;
	else if (strncmp(text, "kallsyms_lookup_name+0x0/", 25))
		return -ENXIO;
	kallsyms_lookup_name_address = (const void *)address;
	return 0;
}
#endif

int bp_resolve_init(void)
{
	int i;
#ifndef BP_KALLSYMS_EXPORTED
	int err = find_kallsyms_lookup_name();

	if (err)
		return err;
#endif
	ftrace_location_address = bp_resolve("ftrace_location");
	in_kprobe_blacklist = bp_resolve("within_kprobe_blacklist");
	module_of_text = bp_resolve("__module_text_address");
	graph_ret_addr = bp_resolve("ftrace_graph_ret_addr");
	graph_return = (unsigned long)bp_resolve("return_to_handler");
	for (i = 0; i < ARRAY_SIZE(return_hooks); i++)
		return_hook_addresses[i] = (unsigned long)bp_resolve(return_hooks[i]);
	if (!ftrace_location_address || !in_kprobe_blacklist || !module_of_text)
		return -ENXIO;
	return 0;
}

/* Is @address on the kernel's list of places that must not have a breakpoint? */
bool bp_kprobe_blacklisted(unsigned long address)
{
	return (bool)(u8)bp_call(in_kprobe_blacklist, address);
}

/* Is @address in code of a module that stays as long as the module does? */
bool bp_module_core_text(unsigned long address)
{
	const struct module *module;
	bool stays;

	preempt_disable();
	module = (const struct module *)bp_call(module_of_text, address);
	stays = module && !within_module_init(address, (struct module *)module);
	preempt_enable();
	return stays;
}

/*
 * Whether @address has symbols of a module, all without a size. From 4.20 to 5.1
 * the kernel keeps something else in place of the size; then there are none.
 */
bool bp_module_label(unsigned long address)
{
	const struct module *module;
	bool is_label = false;
	unsigned int i;

	preempt_disable();
	module = (const struct module *)bp_call(module_of_text, address);
	for (i = 0; module && i < module->core_kallsyms.num_symtab; i++) {
		const Elf_Sym *symbol = &module->core_kallsyms.symtab[i];

		if (symbol->st_value != address)
			continue;
		is_label = !symbol->st_size;
		if (!is_label)
			break;
	}
	preempt_enable();
	return is_label;
}

/* The __fentry__ site of the function at @address, 0 if it has none. */
unsigned long bp_ftrace_location(unsigned long address)
{
	return bp_call(ftrace_location_address, address);
}

/* Is @address the trampoline of one of the kernel's own return hooks? */
bool bp_is_return_hook(unsigned long address)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(return_hooks); i++) {
		if (address && address == return_hook_addresses[i])
			return true;
	}
	return false;
}

/*
 * The return address that was in @slot before the function graph tracer put its
 * own there. It does so if it handles the entry of the function before us.
 */
unsigned long bp_graph_caller(unsigned long caller, unsigned long *slot)
{
	int index = 0;

	if (likely(caller != graph_return) || !graph_ret_addr)
		return caller;
	return bp_call(graph_ret_addr, current, &index, caller, slot);
}
NOKPROBE_SYMBOL(bp_graph_caller);

/*
 * A reference on the module that holds @address, NULL for vmlinux. -ENOENT
 * while that module is being unloaded, -EBUSY while it is being loaded: if its
 * init fails, it is freed despite our reference.
 */
struct module *bp_module_get(unsigned long address, int *error)
{
	struct module *module;

	*error = 0;
	preempt_disable();
	module = (struct module *)bp_call(module_of_text, address);
	if (module && module->state == MODULE_STATE_COMING)
		*error = -EBUSY;
	else if (module && !try_module_get(module))
		*error = -ENOENT;
	preempt_enable();
	return *error ? NULL : module;
}
