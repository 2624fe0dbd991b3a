// SPDX-License-Identifier: GPL-2.0
/* Attach and module load when the kernel has no memory for them. */
#include <string.h>
#include <sys/ioctl.h>
#include "agent.h"

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
		request = (struct fx_fail){.nth = nth, .flags = attempt->fail_flags};
		if (ioctl(fixtures, FX_IOC_FAIL, &request) < 0) {
			json_decref(ends);
			return fail_errno(failure, "Cannot let allocations fail");
		}
		error = attempt_once(attempt);
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
	int fixtures = fixtures_device(failure);
	struct attempt attempt;
	json_t *out;

	if (fixtures < 0 || !attempt_from_json(in, &attempt, failure))
		return NULL;
	out = fail_each(fixtures, &attempt, failure);
	attempt_free(&attempt);
	return out;
}
