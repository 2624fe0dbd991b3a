// SPDX-License-Identifier: GPL-2.0
/* /proc/kallsyms, read once and again only after modules came or went. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent.h"

struct symbol {
	uint64_t address;
	const char *name, *module;	/* into text; module may be NULL */
};

static char *text;
static struct symbol *table;
static size_t count;

void forget_symbols(void)
{
	free(text);
	free(table);
	text = NULL;
	table = NULL;
	count = 0;
}

static char *read_all(const char *path)
{
	size_t room = 16 << 20, used = 0;
	char *bytes = malloc(room + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	while (fd >= 0 && (got = read(fd, bytes + used, room - used)) > 0) {
		used += got;
		if (used == room) {
			room *= 2;
			bytes = realloc(bytes, room + 1);
		}
	}
	if (fd < 0) {
		free(bytes);
		return NULL;
	}
	close(fd);
	bytes[used] = 0;
	return bytes;
}

static uint64_t parse_hex(char **at)
{
	uint64_t value = 0;

	for (; **at && **at != ' '; (*at)++)
		value = value << 4 | (**at <= '9' ? **at - '0' : (**at | 32) - 'a' + 10);
	return value;
}

/* A line is "address type name", or "address type name\t[module]". Only code is kept. */
static void parse(char *line, char *end, size_t *room)
{
	uint64_t address = parse_hex(&line);
	char *tab;

	if (end - line < 4 || !strchr("tTwW", line[1]))
		return;
	*end = 0;
	if (count == *room) {
		*room = *room ? *room * 2 : 65536;
		table = realloc(table, *room * sizeof(*table));
	}
	tab = strchr(line + 3, '\t');
	if (tab) {
		*tab = 0;
		tab[strlen(tab + 2) + 1] = 0;
		tab++;
	}
	table[count++] = (struct symbol){.address = address, .name = line + 3, .module = tab ? tab + 1 : NULL};
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *first = a, *second = b;

	return first->address < second->address ? -1 : first->address > second->address;
}

static bool load(struct failure *failure)
{
	size_t room = 0;
	char *line, *end;

	if (text)
		return true;
	text = read_all("/proc/kallsyms");
	if (!text) {
		fail_errno(failure, "Cannot read /proc/kallsyms");
		return false;
	}
	for (line = text; (end = strchr(line, '\n')); line = end + 1)
		parse(line, end, &room);
	qsort(table, count, sizeof(*table), by_address);
	return true;
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
	for (i = 0; i < count; i++) {
		json_t *list = json_object_get(addresses, table[i].name);

		if (list)
			json_array_append_new(list, hex(table[i].address));
	}
	return json_pack("{s:o}", "addresses", addresses);
}

/* The last symbol at or below an address; of several there the first by kallsyms. */
static const struct symbol *find(uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &table[low - 1] : NULL;
}

static json_t *name_json(uint64_t address)
{
	const struct symbol *symbol = find(address);

	if (!symbol)
		return hex(address);
	return json_sprintf("%s+0x%" PRIx64 "%s%s%s", symbol->name, address - symbol->address,
			    symbol->module ? " [" : "", symbol->module ? symbol->module : "", symbol->module ? "]" : "");
}

json_t *op_names(json_t *in, struct failure *failure)
{
	json_t *addresses = json_object_get(in, "addresses"), *address, *names;
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
		json_array_append_new(names, name_json(value));
	}
	return json_pack("{s:o}", "names", names);
}
