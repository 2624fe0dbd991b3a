// SPDX-License-Identifier: GPL-2.0
/* Prints values as C types. */
#include <stdio.h>
#include "object.h"

static void print(void *argument, const char *format, va_list arguments)
{
	(void)argument;
	vprintf(format, arguments);
}

static bool print_as(const struct btf *btf, uint32_t id, const void *data, size_t size)
{
	/* One object has one BTF. It is freed at exit. */
	static struct btf_dump *printer;
	LIBBPF_OPTS(btf_dump_type_data_opts, options, .compact = true, .emit_zeroes = true);

	if (!printer)
		printer = btf_dump__new(btf, print, NULL, NULL);
	return printer && btf_dump__dump_type_data(printer, id, data, size, &options) >= 0;
}

void print_typed(const struct btf *btf, uint32_t id, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	if (btf && id && btf__resolve_size(btf, id) >= 0 && (size_t)btf__resolve_size(btf, id) <= size &&
	    print_as(btf, id, data, size))
		return;
	for (size_t i = 0; i < size; i++)
		printf("%s%02x", i ? " " : "", bytes[i]);
}
