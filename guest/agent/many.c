// SPDX-License-Identifier: GPL-2.0
/* Probes on many functions, by one descriptor or by one each. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "agent.h"

/*
 * Reads `addresses` or `symbols`; cookies count up from `firstCookie`. The
 * caller frees the list.
 */
struct bprobe_function *functions_of(json_t *in, size_t *count, struct failure *failure)
{
	json_t *addresses = json_object_get(in, "addresses"), *list = addresses ?: json_object_get(in, "symbols"), *each;
	struct bprobe_function *functions = calloc(json_array_size(list) + 1, sizeof(*functions));
	uint64_t cookie = get_number(in, "firstCookie", 0);
	size_t i;

	json_array_foreach(list, i, each) {
		const char *text = json_string_value(each);

		if (!text) {
			fail(failure, EINVAL, "`addresses` or `symbols` has to be strings.");
			free(functions);
			return NULL;
		}
		functions[i].cookie = cookie + i;
		if (addresses)
			functions[i].address = strtoull(text, NULL, 16);
		else
			functions[i].symbol = (uintptr_t)text;
	}
	*count = json_array_size(list);
	return functions;
}

/* Why the function at each address must not be probed; empty for one that may be. */
json_t *op_check(json_t *in, struct failure *failure)
{
	int device = bprobe_device(failure);
	struct bprobe_function *functions;
	struct bprobe_check check;
	json_t *answers;
	size_t count;

	if (device < 0)
		return NULL;
	functions = functions_of(in, &count, failure);
	if (!functions)
		return NULL;
	answers = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(answers, json_string(bprobe_check(device, functions[i].address, &check)
							   ? strerrorname_np(errno) : check.reason));
	free(functions);
	return json_pack("{s:o}", "reasons", answers);
}

/* The first `max` functions that match a pattern and may be probed. */
json_t *op_match(json_t *in, struct failure *failure)
{
	const char *pattern = json_string_value(json_object_get(in, "pattern"));
	int device = bprobe_device(failure), count;
	struct bprobe_function *functions;
	json_t *addresses;

	if (device < 0)
		return NULL;
	count = bprobe_match(device, pattern ? pattern : "*", get_number(in, "max", BPROBE_FUNCTIONS_MAX), &functions);
	if (count < 0)
		return fail_errno(failure, "Cannot look for functions");
	addresses = json_array();
	for (int i = 0; i < count; i++)
		json_array_append_new(addresses, hex(functions[i].address));
	free(functions);
	return json_pack("{s:o}", "addresses", addresses);
}

/* A failed attach is an answer, not an error: it tells which function is the reason. */
json_t *op_attach_list(json_t *in, struct failure *failure)
{
	int device = bprobe_device(failure), program, point, probe, error;
	struct bprobe_options options = {
		.flags = json_is_true(json_object_get(in, "notInInterrupt")) ? BPROBE_NOT_IN_INTERRUPT : 0,
	};
	struct bprobe_function *functions;
	uint32_t failed = 0;
	uint64_t began;
	size_t count;

	if (device < 0)
		return NULL;
	program = handle_fd(in, "prog", PROG, failure);
	if (program < 0 || !need_choice(in, "point", point_names, &point, failure))
		return NULL;
	functions = functions_of(in, &count, failure);
	if (!functions)
		return NULL;
	began = now_ns();
	probe = bprobe_attach_list(device, program, point, functions, count, &options, &failed);
	error = probe < 0 ? errno : 0;
	began = now_ns() - began;
	free(functions);
	if (error)
		return json_pack("{s:s, s:I, s:o}", "errno", strerrorname_np(error), "failed", (json_int_t)failed, "tookNs",
				 hex(began));
	return json_pack("{s:i, s:o}", "probe", handle_add(PROBE, probe), "tookNs", hex(began));
}

/* Of each function of a probe: [hits, misses, cookie], and its address. */
json_t *op_info_list(json_t *in, struct failure *failure)
{
	int probe = handle_fd(in, "probe", PROBE, failure);
	struct bprobe_info info = {.count = 1};
	json_t *answers, *addresses;

	if (probe < 0)
		return NULL;
	answers = json_array();
	addresses = json_array();
	for (uint32_t i = 0; i < info.count; i++) {
		uint64_t misses = 0;

		if (bprobe_get_info_of(probe, i, &info)) {
			json_decref(answers);
			json_decref(addresses);
			return fail_errno(failure, "Cannot ask a probe");
		}
		for (int n = 0; n < BPROBE_MISS_MAX; n++)
			misses += info.misses[n];
		json_array_append_new(answers, json_pack("[I, I, I]", (json_int_t)info.hits, (json_int_t)misses,
							 (json_int_t)info.cookie));
		json_array_append_new(addresses, hex(info.address));
	}
	return json_pack("{s:o, s:o}", "counts", answers, "addresses", addresses);
}

static _Noreturn void hold(int device, int program, int point, const struct bprobe_function *functions, size_t count,
			   size_t singly, int ready)
{
	const struct rlimit room = {.rlim_cur = count + 64, .rlim_max = count + 64};
	int error = setrlimit(RLIMIT_NOFILE, &room) ? errno : 0;

	for (size_t i = 0; !error && i < singly; i++) {
		struct bprobe_options options = {.cookie = functions[i].cookie};

		if (bprobe_attach_address(device, program, point, functions[i].address, &options) < 0)
			error = errno;
	}
	if (!error && singly < count &&
	    bprobe_attach_list(device, program, point, functions, count, NULL, NULL) < 0)
		error = errno;
	if (write(ready, &error, sizeof(error)) != sizeof(error))
		_exit(1);
	close(ready);
	for (;;)
		pause();
}

/*
 * A child that holds probes until it is killed: one for each of the first
 * `singly` functions, and if these are not all of them, one for all.
 */
json_t *op_hold_in_task(json_t *in, struct failure *failure)
{
	int device = bprobe_device(failure), program, point, ready[2], error = EPIPE;
	size_t singly = get_number(in, "singly", 0);
	struct bprobe_function *functions;
	size_t count;
	pid_t pid;

	if (device < 0)
		return NULL;
	program = handle_fd(in, "prog", PROG, failure);
	if (program < 0 || !need_choice(in, "point", point_names, &point, failure))
		return NULL;
	functions = functions_of(in, &count, failure);
	if (!functions || pipe(ready)) {
		free(functions);
		return functions ? fail_errno(failure, "Cannot make a pipe") : NULL;
	}
	pid = fork_clean((int[]){device, program, ready[1]}, 3);
	if (!pid)
		hold(device, program, point, functions, count, singly, ready[1]);
	close(ready[1]);
	free(functions);
	if (pid < 0) {
		close(ready[0]);
		return fail_errno(failure, "Cannot fork");
	}
	if (read(ready[0], &error, sizeof(error)) != sizeof(error))
		error = EPIPE;
	close(ready[0]);
	if (!error)
		return json_pack("{s:i}", "task", task_add(pid));
	kill(pid, SIGKILL);
	wait_for(pid, 10000, &(int){0});
	errno = error;
	return fail_errno(failure, "The child cannot attach");
}
