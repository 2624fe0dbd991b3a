// SPDX-License-Identifier: GPL-2.0
/* Crashes the guest. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "agent.h"

/* An immediate crash shows within this time; a crash that hangs its caller never answers. */
#define CRASH_PATIENCE_MS 300

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
