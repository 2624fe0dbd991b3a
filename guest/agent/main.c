// SPDX-License-Identifier: GPL-2.0
/* Reads requests, answers each. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "agent.h"

static const struct {
	const char *name;
	op_function *run;
} ops[] = {
	{"hello", op_hello}, {"prepare", op_prepare}, {"load", op_load}, {"unload", op_unload}, {"progExists", op_prog_exists},
	{"attach", op_attach}, {"close", op_close}, {"info", op_info}, {"listing", op_listing},
	{"symbols", op_symbols}, {"names", op_names}, {"events", op_events}, {"counters", op_counters},
	{"reset", op_reset}, {"call", op_call}, {"callInTask", op_call_in_task}, {"taskWait", op_task_wait},
	{"taskKill", op_task_kill}, {"release", op_release}, {"counts", op_counts}, {"startLoop", op_start_loop},
	{"startChurn", op_start_churn}, {"startForks", op_start_forks}, {"stopJob", op_stop_job},
	{"ioctl", op_ioctl}, {"asUser", op_as_user}, {"probeFds", op_probe_fds}, {"insmod", op_insmod},
	{"rmmod", op_rmmod}, {"crash", op_crash}, {"mark", op_mark},
	{"execByThread", op_exec_by_thread},
};

static json_t *run(json_t *request, struct failure *failure)
{
	const char *name;

	if (!need_string(request, "op", &name, failure))
		return NULL;
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (!strcmp(ops[i].name, name))
			return ops[i].run(request, failure);
	}
	return fail(failure, ENOSYS, "There is no operation %s.", name);
}

static json_t *answer(const char *line, size_t length)
{
	struct failure failure = {.number = EINVAL, .message = "The request is malformed."};
	json_error_t error;
	json_t *request = json_loadb(line, length, JSON_ALLOW_NUL, &error), *id = NULL, *out = NULL;
	const char *name;

	if (json_is_object(request)) {
		id = json_incref(json_object_get(request, "id"));
		out = run(request, &failure);
		close_bprobe_device();
	} else {
		fail(&failure, EBADMSG, "The request is no JSON object: %s.", request ? "another value" : error.text);
	}
	json_decref(request);
	if (out)
		return json_pack("{s:o, s:o}", "id", id ? id : json_null(), "ok", out);
	name = strerrorname_np(failure.number);
	return json_pack("{s:o, s:{s:s, s:s}}", "id", id ? id : json_null(), "error", "errno", name ? name : "EIO",
			 "message", failure.message);
}

int main(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	/* Maps are locked memory before Linux 5.11. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	signal(SIGPIPE, SIG_IGN);
	while ((length = getline(&line, &size, stdin)) > 0) {
		json_t *out = answer(line, length);

		if (!out || json_dumpf(out, stdout, JSON_COMPACT))
			fputs("{\"id\":null,\"error\":{\"errno\":\"EIO\",\"message\":\"The answer is no JSON.\"}}", stdout);
		json_decref(out);
		putchar('\n');
		if (fflush(stdout))
			break;
	}
	/* Probes, jobs and tasks end with the process; no destructor may wait for them. */
	_exit(0);
}
