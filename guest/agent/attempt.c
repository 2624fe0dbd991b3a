// SPDX-License-Identifier: GPL-2.0
/* An attach, or a load of bprobe, that may fail at any point. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent.h"

/* One function by itself is not the same to the module as a list of one. */
int attempt_attach(const struct attempt *attempt)
{
	const struct bprobe_function *one = attempt->functions;

	if (attempt->count > 1)
		return bprobe_attach_list(attempt->device, attempt->program, attempt->point, attempt->functions,
					  attempt->count, NULL, NULL);
	if (one->symbol)
		return bprobe_attach_symbol(attempt->device, attempt->program, attempt->point,
					    (const char *)(uintptr_t)one->symbol, NULL);
	return bprobe_attach_address(attempt->device, attempt->program, attempt->point, one->address, NULL);
}

/*
 * Calls the function of @info, if it is one that takes and returns a number. 0 if
 * the probe counts the call.
 */
static int check_hit(int probe, const struct bprobe_info *info)
{
	struct fx_call call = {.size = sizeof(call), .target = FX_ADDRESS, .address = info->address};
	int fixtures = fixtures_device(&(struct failure){});
	struct bprobe_info later;

	if (strncmp(info->symbol, "fx_many_", 8))
		return 0;
	/* An allocation that is made to fail can be one of the first call. */
	if (ioctl(fixtures, FX_IOC_CALL, &call) && ioctl(fixtures, FX_IOC_CALL, &call))
		return errno;
	if (bprobe_get_info(probe, &later))
		return errno;
	return later.hits == info->hits + 1 ? 0 : ENODATA;
}

int attempt_once(const struct attempt *attempt)
{
	struct bprobe_info info;
	int probe, error;

	if (attempt->is_load) {
		if (syscall(SYS_finit_module, attempt->file, "", 0))
			return errno;
		return syscall(SYS_delete_module, "bprobe", O_NONBLOCK) ? errno : 0;
	}
	probe = attempt_attach(attempt);
	if (probe < 0)
		return errno;
	error = bprobe_get_info(probe, &info) ? errno : check_hit(probe, &info);
	return close(probe) ? errno : error;
}

bool attempt_from_json(json_t *in, struct attempt *attempt, struct failure *failure)
{
	static const char *const whats[] = {"attach", "insmod", "insmod and what it calls", NULL};
	int what;

	*attempt = (struct attempt){.file = -1};
	if (!need_choice(in, "what", whats, &what, failure))
		return false;
	attempt->is_load = what > 0;
	attempt->fail_flags = (uint32_t[]){0, FX_FAIL_BY_MODULE, FX_FAIL_FOR_MODULE}[what];
	if (attempt->is_load) {
		attempt->file = open(LIBRARY "/bprobe.ko", O_RDONLY | O_CLOEXEC);
		if (attempt->file < 0)
			fail_errno(failure, "Cannot open the module");
		return attempt->file >= 0;
	}
	attempt->device = bprobe_device(failure);
	attempt->program = handle_fd(in, "prog", PROG, failure);
	if (attempt->device < 0 || attempt->program < 0 ||
	    !need_choice(in, "point", point_names, &attempt->point, failure))
		return false;
	attempt->functions = functions_of(in, &attempt->count, failure);
	return attempt->functions;
}

void attempt_free(struct attempt *attempt)
{
	free(attempt->functions);
	if (attempt->file >= 0)
		close(attempt->file);
}
