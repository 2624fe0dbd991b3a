// SPDX-License-Identifier: GPL-2.0
/*
 * Sets up the kernel of a guest before the first case, and tells where modules
 * are loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core.h"

static bool write_setting(const char *file, const char *value, struct failure *failure)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (!ok)
		fail_errno(failure, file);
	if (fd >= 0)
		close(fd);
	return ok;
}

static json_t *base_of(const char *module)
{
	char path[128], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/.text", module);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	return hex(strtoull(text, NULL, 16));
}

json_t *op_prepare(json_t *in, struct failure *failure)
{
	json_t *settings = json_object_get(in, "settings"), *setting;
	json_t *modules = json_object_get(in, "modules"), *module, *bases;
	size_t i;

	json_array_foreach(settings, i, setting) {
		const char *file = json_string_value(json_array_get(setting, 0));
		const char *value = json_string_value(json_array_get(setting, 1));
		const char *beside = json_string_value(json_array_get(setting, 2));

		if (!file || !value)
			return fail(failure, EINVAL, "`settings` has to be pairs of a file and a value.");
		if (access(beside ? beside : file, F_OK))
			continue;
		if (!write_setting(file, value, failure))
			return NULL;
	}
	bases = json_object();
	json_array_foreach(modules, i, module) {
		if (json_is_string(module))
			json_object_set_new(bases, json_string_value(module), base_of(json_string_value(module)));
	}
	return json_pack("{s:o}", "bases", bases);
}
