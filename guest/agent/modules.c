// SPDX-License-Identifier: GPL-2.0
/* Loads and unloads modules, and crashes the guest. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent.h"

/* An immediate crash shows within this time; a crash that hangs its caller never answers. */
#define CRASH_PATIENCE_MS 300

static bool is_plain(const char *name, struct failure *failure)
{
	if (*name && !strchr(name, '/'))
		return true;
	fail(failure, EINVAL, "`module` has to be a module's name.");
	return false;
}

/* Only symbols of the fixtures are looked up, and reading all symbols takes a second. */
static void note_change(const char *module)
{
	if (!strcmp(module, "fixtures"))
		forget_symbols();
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
	close_devices();
	note_change(module);
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
	close_devices();
	note_change(module);
	if (syscall(SYS_delete_module, module, O_NONBLOCK))
		return fail_errno(failure, "Cannot unload the module");
	return json_object();
}

/* A child causes the crash, as many kinds end or hang their caller. */
json_t *op_crash(json_t *in, struct failure *failure)
{
	static const char *const kinds[] = {
		"panic", "oops", "warn", "bug", "kasan-write", "lockdep-inversion", "soft-lockup", "hard-lockup",
		"hung-task", "rcu-stall", "triple-fault", "power-off", "reboot", "flood", "atomic-sleep", "leak",
		"late-warn", NULL,
	};
	int device = fixtures_device(failure), kind, status;
	pid_t pid;

	_Static_assert(sizeof(kinds) / sizeof(*kinds) == FX_CRASHES + 1, "a kind of crash has no name");
	if (device < 0 || !need_choice(in, "kind", kinds, &kind, failure))
		return NULL;
	pid = fork_clean(&device, 1);
	if (!pid)
		_exit(ioctl(device, FX_IOC_CRASH, (long)kind) ? errno : 0);
	if (pid < 0)
		return fail_errno(failure, "Cannot fork");
	wait_for(pid, CRASH_PATIENCE_MS, &status);
	return json_object();
}
