// SPDX-License-Identifier: GPL-2.0
/* A copy of /proc/kallsyms with fast lookups in both directions. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libbprobe.h"

struct symbol {
	uint64_t address;
	const char *name, *module;	/* into text; module may be NULL */
};

struct bprobe_symbols {
	char *text;
	struct symbol *table;
	size_t count, room;
	int is_sorted;
};

/* NULL with errno set on failure. */
static char *read_all(const char *path)
{
	size_t room = 16 << 20, used = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL, *grown;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	for (grown = malloc(room + 1); grown;) {
		bytes = grown;
		got = read(fd, bytes + used, room - used);
		if (got <= 0)
			break;
		used += got;
		if (used == room) {
			room *= 2;
			grown = realloc(bytes, room + 1);
		}
	}
	close(fd);
	if (!grown || got < 0) {
		free(bytes);
		return NULL;
	}
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

static int grow(struct bprobe_symbols *symbols)
{
	size_t room = symbols->room ? symbols->room * 2 : 65536;
	struct symbol *table = realloc(symbols->table, room * sizeof(*table));

	if (!table)
		return -1;
	symbols->table = table;
	symbols->room = room;
	return 0;
}

/* A line is "address type name", or "address type name\t[module]". Only code is kept. -1: there is no memory. */
static int parse(struct bprobe_symbols *symbols, char *line, char *end)
{
	uint64_t address = parse_hex(&line);
	char *tab;

	if (end - line < 4 || !strchr("tTwW", line[1]))
		return 0;
	*end = 0;
	if (symbols->count == symbols->room && grow(symbols))
		return -1;
	tab = strchr(line + 3, '\t');
	if (tab) {
		*tab = 0;
		tab[strlen(tab + 2) + 1] = 0;
		tab++;
	}
	symbols->table[symbols->count++] =
		(struct symbol){.address = address, .name = line + 3, .module = tab ? tab + 1 : NULL};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *first = a, *second = b;

	if (first->address != second->address)
		return first->address < second->address ? -1 : 1;
	/* Aliases stay in the order of kallsyms. */
	return first->name < second->name ? -1 : first->name > second->name;
}

struct bprobe_symbols *bprobe_symbols_load(void)
{
	struct bprobe_symbols *symbols;
	char *text = read_all("/proc/kallsyms"), *line, *end;

	if (!text)
		return NULL;
	symbols = calloc(1, sizeof(*symbols));
	if (!symbols) {
		free(text);
		return NULL;
	}
	symbols->text = text;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (parse(symbols, line, end)) {
			bprobe_symbols_free(symbols);
			return NULL;
		}
	}
	return symbols;
}

void bprobe_symbols_free(struct bprobe_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->text);
	free(symbols->table);
	free(symbols);
}

void bprobe_symbols_each(const struct bprobe_symbols *symbols,
			 void (*each)(const char *name, uint64_t address, void *argument), void *argument)
{
	for (size_t i = 0; i < symbols->count; i++)
		each(symbols->table[i].name, symbols->table[i].address, argument);
}

/* The last symbol at or below an address; of its aliases the first in kallsyms. */
static const struct symbol *find(struct bprobe_symbols *symbols, uint64_t address)
{
	struct symbol *table = symbols->table;
	size_t low = 0, high = symbols->count;

	/* Sort here, not in load(): bprobe_symbols_each() can do without and need not wait. */
	if (!symbols->is_sorted)
		qsort(table, symbols->count, sizeof(*table), by_address);
	symbols->is_sorted = 1;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	while (low > 1 && table[low - 2].address == table[low - 1].address)
		low--;
	return &table[low - 1];
}

char *bprobe_symbols_name(struct bprobe_symbols *symbols, uint64_t address, char *name, size_t size)
{
	const struct symbol *symbol = find(symbols, address);

	if (!symbol)
		snprintf(name, size, "0x%" PRIx64, address);
	else if (symbol->module)
		snprintf(name, size, "%s+0x%" PRIx64 " [%s]", symbol->name, address - symbol->address, symbol->module);
	else
		snprintf(name, size, "%s+0x%" PRIx64, symbol->name, address - symbol->address);
	return name;
}
