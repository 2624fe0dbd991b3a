// SPDX-License-Identifier: GPL-2.0
/* Loads and unloads modules. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "core.h"

static bool is_plain(const char *name, struct failure *failure)
{
	if (*name && !strchr(name, '/'))
		return true;
	fail(failure, EINVAL, "`module` has to be a module's name.");
	return false;
}

json_t *op_insmod(json_t *in, struct failure *failure)
{
	const char *module, *parameters = json_string_value(json_object_get(in, "parameters"));
	char path[256];
	int fd, error;

	if (!need_string(in, "module", &module, failure) || !is_plain(module, failure))
		return NULL;
	snprintf(path, sizeof(path), LIBRARY "/%s.ko", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(failure, path);
	before_module_change(module);
	error = syscall(SYS_finit_module, fd, parameters ? parameters : "", 0) ? errno : 0;
	close(fd);
	if (error)
		return fail(failure, error, "Cannot load %s: %s.", module, strerror(error));
	return json_object();
}

json_t *op_rmmod(json_t *in, struct failure *failure)
{
	const char *module;

	if (!need_string(in, "module", &module, failure) || !is_plain(module, failure))
		return NULL;
	before_module_change(module);
	if (syscall(SYS_delete_module, module, O_NONBLOCK))
		return fail_errno(failure, "Cannot unload the module");
	return json_object();
}
