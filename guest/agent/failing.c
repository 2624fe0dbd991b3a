// SPDX-License-Identifier: GPL-2.0
/* Attach and module load when the kernel has no memory for them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent.h"

struct attempt {
	bool is_load;
	int file, device, program, point;
	uint64_t address;
	struct bprobe_function *functions;	/* in place of the address */
	size_t count;
};

/* Returns 0 or an errno. A success is undone. */
static int try(const struct attempt *attempt)
{
	int probe;

	if (attempt->is_load) {
		if (syscall(SYS_finit_module, attempt->file, "", 0))
			return errno;
		return syscall(SYS_delete_module, "bprobe", O_NONBLOCK) ? errno : 0;
	}
	if (attempt->functions)
		probe = bprobe_attach_list(attempt->device, attempt->program, attempt->point, attempt->functions,
					   attempt->count, NULL, NULL);
	else
		probe = bprobe_attach_address(attempt->device, attempt->program, attempt->point, attempt->address, NULL);
	if (probe < 0)
		return errno;
	close(probe);
	return 0;
}

/*
 * Stop after this many injected failures in a row without an error: the rest
 * are only the kernel's ways to look for more memory.
 */
#define HARMLESS 30

/*
 * Lets the first allocation of the attempt fail, next time the second, until
 * the attempt has no more.
 */
static json_t *fail_each(int fixtures, const struct attempt *attempt, struct failure *failure)
{
	json_t *ends = json_array();
	struct fx_fail request;
	int seen, error, harmless = 0;

	for (int nth = 1; harmless < HARMLESS; nth++) {
		request = (struct fx_fail){.nth = nth, .flags = attempt->is_load ? FX_FAIL_BY_MODULE : 0};
		if (ioctl(fixtures, FX_IOC_FAIL, &request) < 0) {
			json_decref(ends);
			return fail_errno(failure, "Cannot let allocations fail");
		}
		error = try(attempt);
		request = (struct fx_fail){.flags = FX_FAIL_STAYS};
		seen = ioctl(fixtures, FX_IOC_FAIL, &request);
		json_array_append_new(ends, json_string(error ? strerrorname_np(error) : ""));
		harmless = error ? 0 : harmless + 1;
		if (seen < nth)
			break;
	}
	request = (struct fx_fail){};
	ioctl(fixtures, FX_IOC_FAIL, &request);
	return json_pack("{s:o}", "ends", ends);
}

/* Attaches, or loads bprobe, over and over: see agent-protocol.ts. */
json_t *op_failing(json_t *in, struct failure *failure)
{
	static const char *const whats[] = {"attach", "insmod", NULL};
	struct attempt attempt = {.file = -1};
	int fixtures = fixtures_device(failure), what;
	json_t *out;

	if (fixtures < 0 || !need_choice(in, "what", whats, &what, failure))
		return NULL;
	attempt.is_load = what == 1;
	if (attempt.is_load) {
		attempt.file = open(LIBRARY "/bprobe.ko", O_RDONLY | O_CLOEXEC);
		if (attempt.file < 0)
			return fail_errno(failure, "Cannot open the module");
	} else {
		attempt.device = bprobe_device(failure);
		attempt.program = handle_fd(in, "prog", PROG, failure);
		if (attempt.device < 0 || attempt.program < 0 ||
		    !need_choice(in, "point", point_names, &attempt.point, failure))
			return NULL;
		if (json_object_get(in, "addresses"))
			attempt.functions = functions_of(in, &attempt.count, failure);
		else
			need_hex(in, "address", &attempt.address, failure);
		if (!attempt.functions && !attempt.address)
			return NULL;
	}
	out = fail_each(fixtures, &attempt, failure);
	free(attempt.functions);
	if (attempt.file >= 0)
		close(attempt.file);
	return out;
}
