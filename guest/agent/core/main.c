// SPDX-License-Identifier: GPL-2.0
/* Reads requests and answers each. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "core.h"

static const struct operation basics[] = {
	{"hello", op_hello}, {"clock", op_clock}, {"become", op_become}, {"prepare", op_prepare},
	{"insmod", op_insmod}, {"rmmod", op_rmmod}, {"mark", op_mark}, {0},
};

static op_function *find(const struct operation *among, const char *name)
{
	for (; among->name; among++) {
		if (!strcmp(among->name, name))
			return among->run;
	}
	return NULL;
}

static json_t *run(json_t *request, struct failure *failure)
{
	const char *name;
	op_function *op;

	if (!need_string(request, "op", &name, failure))
		return NULL;
	op = find(basics, name);
	if (!op)
		op = find(suite_operations, name);
	if (op)
		return op(request, failure);
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
		after_operation();
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

	/* Before Linux 5.11 maps count as locked memory. */
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
		if (successor) {
			execl(successor, successor, NULL);
			fprintf(stderr, "%s: %m\n", successor);
			_exit(127);
		}
	}
	/*
	 * Probes, jobs and tasks end with the process. A destructor could wait
	 * for them, so run none.
	 */
	_exit(0);
}
