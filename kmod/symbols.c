// SPDX-License-Identifier: GPL-2.0
/*
 * Looks up symbols, from names to addresses and back. The kernel's symbols are
 * packed, and a walk unpacks all 100,000 of them. So there is one walk for all
 * names of an attach.
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "internal.h"

static const void *on_each_symbol;
static const void *on_each_match;		/* since 6.2: symbols of one name, vmlinux only */
static const void *on_each_module_symbol;	/* NULL where the other one covers modules */

struct search {
	struct bp_wanted **wanted;		/* by name */
	unsigned int count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct bp_wanted * const *)a)->name, (*(struct bp_wanted * const *)b)->name);
}

static int found_symbol(void *data, unsigned long address)
{
	struct bp_wanted *wanted = data;

	/* An alias is the same function. */
	if (wanted->found && address == wanted->address)
		return 0;
	/* Keep the first one, as the lookups of the kernel do. */
	if (!wanted->found)
		wanted->address = address;
	wanted->found = wanted->found ? 2 : 1;
	return 0;
}

/* Only the first of the entries that want @name gets it; find() copies it to the others. */
static int match_symbol(void *data, const char *name, BP_SYMBOL_MODULE unsigned long address)
{
	const struct search *search = data;
	unsigned int low = 0, high = search->count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (strcmp(search->wanted[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < search->count && !strcmp(search->wanted[low]->name, name))
		found_symbol(search->wanted[low], address);
	return 0;
}

static void find(struct search *search)
{
	unsigned int i;

	bp_lock_module_symbols();
	if (on_each_match && search->count == 1)
		bp_call(on_each_match, found_symbol, search->wanted[0]->name, search->wanted[0]);
	else
		bp_call(on_each_symbol, match_symbol, search);
	if (on_each_module_symbol)
		BP_CALL_EACH_MODULE_SYMBOL(on_each_module_symbol, match_symbol, search);
	bp_unlock_module_symbols();
	for (i = 1; i < search->count; i++) {
		struct bp_wanted *wanted = search->wanted[i], *before = search->wanted[i - 1];

		if (strcmp(wanted->name, before->name))
			continue;
		wanted->address = before->address;
		wanted->found = before->found;
	}
}

/* Sets ->found and ->address of each entry that has a name. 0 or -ENOMEM. */
int bp_symbols_find(struct bp_wanted *wanted, unsigned int count)
{
	struct search search = {};
	unsigned int i;

	for (i = 0; i < count; i++)
		search.count += !!wanted[i].name;
	if (!search.count)
		return 0;
	search.wanted = kvmalloc_array(search.count, sizeof(*search.wanted), GFP_KERNEL);
	if (!search.wanted)
		return -ENOMEM;
	search.count = 0;
	for (i = 0; i < count; i++) {
		if (wanted[i].name)
			search.wanted[search.count++] = &wanted[i];
	}
	sort(search.wanted, search.count, sizeof(*search.wanted), by_name, NULL);
	find(&search);
	kvfree(search.wanted);
	return 0;
}

/*
 * The name of the function that begins at @address. -EADDRNOTAVAIL if none
 * does, -ENAMETOOLONG if the name does not fit.
 */
int bp_function_name(unsigned long address, char name[BPROBE_NAME_LEN])
{
	char text[KSYM_SYMBOL_LEN], *offset, *module;

	sprint_symbol(text, address);
	offset = strstr(text, "+0x0/");
	if (!offset)
		return -EADDRNOTAVAIL;
	module = strchr(offset, ' ');
	*offset = '\0';
	/* Do not truncate: the end of a name marks fragments, and is the module. */
	if (snprintf(name, BPROBE_NAME_LEN, "%s%s", text, module ?: "") >= BPROBE_NAME_LEN)
		return -ENAMETOOLONG;
	return 0;
}

int bp_symbols_init(void)
{
	on_each_symbol = bp_resolve("kallsyms_on_each_symbol");
	on_each_match = bp_resolve("kallsyms_on_each_match_symbol");
	on_each_module_symbol = bp_resolve("module_kallsyms_on_each_symbol");
	return on_each_symbol ? 0 : -ENXIO;
}
