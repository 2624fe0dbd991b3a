// SPDX-License-Identifier: GPL-2.0
/* Sets constants ("const volatile") of an object before it is loaded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "object.h"

/* Without typedefs and qualifiers. */
static const struct btf_type *plain(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (btf_is_mod(type) || btf_is_typedef(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* Where the constant is in .rodata. NULL: there is none of that name. */
static const struct btf_var_secinfo *find(const struct btf *btf, const char *name, size_t length)
{
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	const struct btf_var_secinfo *variable;
	const struct btf_type *section;

	if (id < 0)
		return NULL;
	section = btf__type_by_id(btf, id);
	variable = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++, variable++) {
		const char *own = btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off);

		if (strlen(own) == length && !strncmp(own, name, length))
			return variable;
	}
	return NULL;
}

/* Stores the number @text in @size bytes. */
static bool store_number(void *place, uint32_t size, bool is_signed, const char *text)
{
	bool is_negative = *text == '-';
	unsigned long long value;
	char *end;

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		text = *text == 't' ? "1" : "0";
	errno = 0;
	value = is_negative ? (unsigned long long)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (errno || end == text || *end || size > sizeof(value) || (is_negative && !is_signed))
		return false;
	if (size < sizeof(value)) {
		unsigned int bits = size * 8 - is_signed;

		if (is_negative ? (long long)value < -(1ll << bits) : value >> bits)
			return false;
	} else if (is_signed && !is_negative && value >> 63) {
		return false;
	}
	/* Little-endian, like all that bprobe runs on. */
	memcpy(place, &value, size);
	return true;
}

static bool store(const struct btf *btf, uint32_t id, char *place, uint32_t size, const char *text)
{
	const struct btf_type *type = plain(btf, id);

	if (btf_is_array(type)) {
		/* A name or a path, with its terminating zero. */
		if (plain(btf, btf_array(type)->type)->size != 1 || strlen(text) >= size)
			return false;
		memset(place, 0, size);
		memcpy(place, text, strlen(text));
		return true;
	}
	if (btf_is_int(type))
		return store_number(place, size, btf_int_encoding(type) & BTF_INT_SIGNED, text);
	return (btf_is_any_enum(type) || btf_is_ptr(type)) && store_number(place, size, btf_is_any_enum(type), text);
}

bool object_set(struct bpf_object *object, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	const struct btf *btf = bpf_object__btf(object);
	size_t length = equals ? (size_t)(equals - assignment) : 0, size = 0;
	const struct btf_var_secinfo *variable = equals ? find(btf, assignment, length) : NULL;
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	const char *values = map ? bpf_map__initial_value(map, &size) : NULL;
	char *changed;
	bool fits;

	if (!equals)
		return complain(0, "--set takes NAME=VALUE, not %s", assignment), false;
	if (!variable || !values || variable->offset + variable->size > size)
		return complain(0, "The object has no constant %.*s", (int)length, assignment), false;
	changed = memcpy(malloc(size), values, size);
	fits = store(btf, btf__type_by_id(btf, variable->type)->type, changed + variable->offset, variable->size, equals + 1);
	if (!fits)
		complain(0, "The constant %.*s cannot be %s", (int)length, assignment, equals + 1);
	else
		bpf_map__set_initial_value(map, changed, size);
	free(changed);
	return fits;
}
