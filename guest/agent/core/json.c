// SPDX-License-Identifier: GPL-2.0
/* Reads fields of requests, writes answers and failures. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core.h"

json_t *fail(struct failure *failure, int number, const char *format, ...)
{
	va_list arguments;

	failure->number = number;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	return NULL;
}

json_t *fail_errno(struct failure *failure, const char *what)
{
	int number = errno;

	return fail(failure, number, "%s: %s.", what, strerror(number));
}

uint64_t hex_value(const char *text, bool *ok)
{
	char *end;
	uint64_t value;

	*ok = false;
	if (strncmp(text, "0x", 2) || !isxdigit((unsigned char)text[2]))
		return 0;
	errno = 0;
	value = strtoull(text, &end, 16);
	*ok = !*end && !errno;
	return value;
}

bool get_hex(json_t *in, const char *name, uint64_t *value)
{
	json_t *field = json_object_get(in, name);
	bool ok = true;

	if (json_is_string(field))
		*value = hex_value(json_string_value(field), &ok);
	else if (field)
		ok = false;
	return ok;
}

bool need_hex(json_t *in, const char *name, uint64_t *value, struct failure *failure)
{
	if (json_object_get(in, name) && get_hex(in, name, value))
		return true;
	fail(failure, EINVAL, "`%s` has to be a hexadecimal string such as \"0x1f\".", name);
	return false;
}

bool need_number(json_t *in, const char *name, int64_t *value, struct failure *failure)
{
	json_t *field = json_object_get(in, name);

	if (json_is_integer(field)) {
		*value = json_integer_value(field);
		return true;
	}
	fail(failure, EINVAL, "`%s` has to be a whole number.", name);
	return false;
}

int64_t get_number(json_t *in, const char *name, int64_t otherwise)
{
	json_t *field = json_object_get(in, name);

	return json_is_integer(field) ? json_integer_value(field) : otherwise;
}

bool need_string(json_t *in, const char *name, const char **value, struct failure *failure)
{
	*value = json_string_value(json_object_get(in, name));
	if (*value)
		return true;
	fail(failure, EINVAL, "`%s` has to be a string.", name);
	return false;
}

bool need_choice(json_t *in, const char *name, const char *const *choices, int *value, struct failure *failure)
{
	const char *text;

	if (!need_string(in, name, &text, failure))
		return false;
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(choices[i], text)) {
			*value = i;
			return true;
		}
	}
	fail(failure, EINVAL, "`%s` cannot be \"%s\".", name, text);
	return false;
}

json_t *hex(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

char *bytes_of(const char *digits, size_t *size)
{
	size_t length = strlen(digits);
	char *bytes = malloc(length / 2 + 1);

	if (length % 2 || strspn(digits, "0123456789abcdefABCDEF") != length) {
		free(bytes);
		return NULL;
	}
	*size = length / 2;
	for (size_t i = 0; i < *size; i++)
		bytes[i] = digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]);
	return bytes;
}

char *hex_of(const void *bytes, size_t size)
{
	char *text = malloc(2 * size + 1);

	text[0] = 0;
	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
	return text;
}
