// SPDX-License-Identifier: GPL-2.0
/*
 * Names and addresses. The table is read again only after a module was loaded
 * or unloaded.
 */
#include <errno.h>
#include <string.h>
#include "agent.h"

static struct bprobe_symbols *symbols;

void forget_symbols(void)
{
	bprobe_symbols_free(symbols);
	symbols = NULL;
}

static bool load(struct failure *failure)
{
	if (!symbols)
		symbols = bprobe_symbols_load();
	if (!symbols)
		fail_errno(failure, "Cannot read /proc/kallsyms");
	return symbols;
}

struct search {
	const char *name;
	uint64_t address;
};

static void match(const char *name, uint64_t address, void *search)
{
	if (!strcmp(name, ((struct search *)search)->name))
		((struct search *)search)->address = address;
}

uint64_t symbol_address(const char *name, struct failure *failure)
{
	struct search search = {.name = name};

	if (!load(failure))
		return 0;
	bprobe_symbols_each(symbols, match, &search);
	if (!search.address)
		fail(failure, ENOENT, "There is no function %s.", name);
	return search.address;
}

bool symbol_name(uint64_t address, char *name, size_t size, struct failure *failure)
{
	if (!load(failure))
		return false;
	bprobe_symbols_name(symbols, address, name, size);
	/* What follows the name: +0xoffset, [module]. */
	name[strcspn(name, "+ ")] = 0;
	return true;
}

static void add(const char *name, uint64_t address, void *addresses)
{
	json_t *list = json_object_get(addresses, name);

	if (list)
		json_array_append_new(list, hex(address));
}

json_t *op_symbols(json_t *in, struct failure *failure)
{
	json_t *names = json_object_get(in, "names"), *addresses, *name;
	size_t i;

	if (!json_is_array(names))
		return fail(failure, EINVAL, "`names` has to be a list of strings.");
	if (!load(failure))
		return NULL;
	addresses = json_object();
	json_array_foreach(names, i, name) {
		if (json_is_string(name))
			json_object_set_new(addresses, json_string_value(name), json_array());
	}
	bprobe_symbols_each(symbols, add, addresses);
	return json_pack("{s:o}", "addresses", addresses);
}

json_t *op_names(json_t *in, struct failure *failure)
{
	json_t *addresses = json_object_get(in, "addresses"), *address, *names;
	char name[512];
	size_t i;

	if (!json_is_array(addresses))
		return fail(failure, EINVAL, "`addresses` has to be a list of hexadecimal strings.");
	if (!load(failure))
		return NULL;
	names = json_array();
	json_array_foreach(addresses, i, address) {
		bool ok = false;
		uint64_t value = json_is_string(address) ? hex_value(json_string_value(address), &ok) : 0;

		if (!ok) {
			json_decref(names);
			return fail(failure, EINVAL, "Address %zu is no hexadecimal string.", i);
		}
		json_array_append_new(names, json_string(bprobe_symbols_name(symbols, value, name, sizeof(name))));
	}
	return json_pack("{s:o}", "names", names);
}
