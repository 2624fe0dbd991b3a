// SPDX-License-Identifier: GPL-2.0
/* Calls of all functions of the kernel, as the fixtures count them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "agent.h"

#define ROOM (1 << 18)

json_t *op_profile(json_t *in, struct failure *failure)
{
	static const char *const whats[] = {"start", "read", "stop", NULL};
	struct fx_profiled_call *calls = calloc(ROOM, sizeof(*calls));
	struct fx_profile request = {.room = ROOM, .calls = (uintptr_t)calls};
	int device, what, count = -1;
	json_t *list = NULL;

	if (!calls || !need_choice(in, "what", whats, &what, failure)) {
		free(calls);
		return NULL;
	}
	request.what = what;
	/*
	 * A separate descriptor: an open one would keep the fixtures from being
	 * unloaded afterwards.
	 */
	device = open(FIXTURES_DEVICE, O_RDWR | O_CLOEXEC);
	if (device >= 0)
		count = ioctl(device, FX_IOC_PROFILE, &request);
	if (count < 0)
		fail_errno(failure, "Cannot profile");
	else
		list = json_array();
	if (device >= 0)
		close(device);
	for (int i = 0; i < count && i < ROOM; i++)
		json_array_append_new(list, json_pack("[o, I]", hex(calls[i].ip), (json_int_t)calls[i].count));
	free(calls);
	return list ? json_pack("{s:o}", "calls", list) : NULL;
}
