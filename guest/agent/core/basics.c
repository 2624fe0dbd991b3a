// SPDX-License-Identifier: GPL-2.0
/* Operations of every guest, whatever it tests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "core.h"

const char *successor;

json_t *op_hello(json_t *in, struct failure *failure)
{
	struct utsname name;

	(void)in;
	(void)failure;
	uname(&name);
	return json_pack("{s:s, s:i, s:i}", "release", name.release, "pid", (int)getpid(), "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN));
}

json_t *op_clock(json_t *in, struct failure *failure)
{
	struct timespec now;

	(void)in;
	(void)failure;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return json_pack("{s:o}", "nowNs", hex(now.tv_sec * 1000000000ull + now.tv_nsec));
}

/* The port stays open, so the harness talks to the next program without a reconnect. */
json_t *op_become(json_t *in, struct failure *failure)
{
	const char *path;

	if (!need_string(in, "path", &path, failure))
		return NULL;
	if (access(path, X_OK))
		return fail_errno(failure, path);
	successor = strdup(path);
	return json_object();
}
