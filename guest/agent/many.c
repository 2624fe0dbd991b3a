// SPDX-License-Identifier: GPL-2.0
/* Probes by the thousand, at the entry and at the return of each function: too many to have a handle each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "agent.h"

static struct both { int probe[2]; } *all;
static size_t count;

static bool each_address(json_t *in, json_t *(*answer)(uint64_t address, void *argument), void *argument, json_t *answers,
			 struct failure *failure)
{
	json_t *each;
	size_t i;

	json_array_foreach(json_object_get(in, "addresses"), i, each) {
		const char *text = json_string_value(each);
		uint64_t address = text ? strtoull(text, NULL, 16) : 0;

		if (!address) {
			fail(failure, EINVAL, "`addresses` has to be hexadecimal strings.");
			return false;
		}
		json_array_append_new(answers, answer(address, argument));
	}
	return true;
}

static json_t *check(uint64_t address, void *device)
{
	struct bprobe_check check;

	if (bprobe_check(*(int *)device, address, &check))
		return json_string(strerrorname_np(errno));
	return json_string(check.reason);
}

/* Why no probe may touch the function at each address; empty for one that may be. */
json_t *op_check(json_t *in, struct failure *failure)
{
	int device = bprobe_device(failure);
	json_t *answers;

	if (device < 0)
		return NULL;
	answers = json_array();
	if (each_address(in, check, &device, answers, failure))
		return json_pack("{s:o}", "reasons", answers);
	json_decref(answers);
	return NULL;
}

struct attaching {
	int device, prog;
};

static json_t *attach(uint64_t address, void *argument)
{
	const struct attaching *attaching = argument;
	struct both *grown = realloc(all, (count + 1) * sizeof(*all)), both;

	if (!grown)
		return json_string("ENOMEM");
	all = grown;
	for (int point = 0; point < 2; point++) {
		both.probe[point] = bprobe_attach_address(attaching->device, attaching->prog, point, address, NULL);
		if (both.probe[point] < 0) {
			json_t *error = json_string(strerrorname_np(errno));

			if (point)
				close(both.probe[0]);
			return error;
		}
	}
	all[count++] = both;
	return json_string("");
}

json_t *op_attach_many(json_t *in, struct failure *failure)
{
	const struct rlimit room = {.rlim_cur = 1 << 19, .rlim_max = 1 << 19};
	struct attaching attaching = {.device = bprobe_device(failure)};
	json_t *answers;

	if (attaching.device < 0)
		return NULL;
	attaching.prog = handle_fd(in, "prog", PROG, failure);
	if (attaching.prog < 0)
		return NULL;
	if (setrlimit(RLIMIT_NOFILE, &room))
		return fail_errno(failure, "Cannot have so many descriptors");
	answers = json_array();
	if (each_address(in, attach, &attaching, answers, failure))
		return json_pack("{s:o}", "errors", answers);
	json_decref(answers);
	return NULL;
}

/* Hits and misses of each, in the order they were attached: [entry hits, misses, return hits, misses]. */
json_t *op_info_many(json_t *in, struct failure *failure)
{
	json_t *answers = json_array();

	(void)in;
	for (size_t i = 0; i < count; i++) {
		json_t *counts = json_array();

		for (int point = 0; point < 2; point++) {
			struct bprobe_info info;
			uint64_t misses = 0;

			if (bprobe_get_info(all[i].probe[point], &info)) {
				fail_errno(failure, "Cannot ask a probe");
				json_decref(counts);
				json_decref(answers);
				return NULL;
			}
			for (int n = 0; n < BPROBE_MISS_MAX; n++)
				misses += info.misses[n];
			json_array_append_new(counts, json_integer(info.hits));
			json_array_append_new(counts, json_integer(misses));
		}
		json_array_append_new(answers, counts);
	}
	return json_pack("{s:o}", "counts", answers);
}

/* The newest @count functions, or all. */
json_t *op_close_many(json_t *in, struct failure *failure)
{
	size_t left = get_number(in, "count", count);

	(void)failure;
	for (; count && left; left--) {
		count--;
		close(all[count].probe[1]);
		close(all[count].probe[0]);
	}
	return json_object();
}
