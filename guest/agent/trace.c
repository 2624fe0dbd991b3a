// SPDX-License-Identifier: GPL-2.0
/* Plain ftrace, by an ftrace_ops of the fixtures. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "agent.h"

static long ask(struct fx_ftrace request, struct failure *failure)
{
	int device = fixtures_device(failure);
	long answer = device < 0 ? -1 : ioctl(device, FX_IOC_FTRACE, &request);

	if (device >= 0 && answer < 0)
		fail_errno(failure, "The fixtures refused");
	return answer;
}

json_t *op_trace(json_t *in, struct failure *failure)
{
	struct fx_ftrace request = {.what = FX_FTRACE_ADD, .keeps = json_is_true(json_object_get(in, "keeps"))};
	int64_t cookie;
	uint64_t address;

	if (!need_hex(in, "address", &address, failure) || !need_number(in, "cookie", &cookie, failure))
		return NULL;
	request.address = address;
	request.cookie = cookie;
	clear_direction_flag(1);
	if (ask(request, failure) >= 0)
		return json_object();
	clear_direction_flag(-1);
	return NULL;
}

json_t *op_untrace(json_t *in, struct failure *failure)
{
	int64_t cookie;

	if (!need_number(in, "cookie", &cookie, failure) ||
	    ask((struct fx_ftrace){.what = FX_FTRACE_REMOVE, .cookie = cookie}, failure) < 0)
		return NULL;
	clear_direction_flag(-1);
	return json_pack("{s:o}", "closedNs", hex(now_ns()));
}

json_t *op_traced(json_t *in, struct failure *failure)
{
	int64_t cookie;
	long hits;

	if (!need_number(in, "cookie", &cookie, failure))
		return NULL;
	hits = ask((struct fx_ftrace){.what = FX_FTRACE_COUNT, .cookie = cookie}, failure);
	return hits < 0 ? NULL : json_pack("{s:I}", "hits", (json_int_t)hits);
}

/* malloc()ed hits that were kept; *total counts those, too, for which there was no room. */
struct fx_hit *traced_hits(long *total)
{
	struct failure ignored;
	long kept = ask((struct fx_ftrace){.what = FX_FTRACE_READ}, &ignored);
	struct fx_hit *hits = calloc(kept > 0 ? kept : 1, sizeof(*hits));

	*total = kept <= 0 ? 0 : ask((struct fx_ftrace){.what = FX_FTRACE_READ, .to = (uintptr_t)hits,
						       .room = kept > INT_MAX ? INT_MAX : kept}, &ignored);
	return hits;
}

void forget_traced(void)
{
	struct failure ignored;

	ask((struct fx_ftrace){.what = FX_FTRACE_RESET}, &ignored);
}
