// SPDX-License-Identifier: GPL-2.0
/*
 * Loads programs for the kernel's own mechanisms. Where a program cannot ask
 * for its cookie, each hook has its own copy, with a map that says which probe
 * it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "hooks.h"

/* Which of the ways to compile a program fits the mechanism and the kernel. */
static const char *directory_of(const struct hook_request *request)
{
	/* Since Linux 7.0 the functions of a session take the context. */
	if (request->mechanism == KPROBE_SESSION && btf_arguments("bpf_session_is_return"))
		return "session-ctx/";
	if (request->mechanism == TRACING)
		return request->cookies ? "arguments-cookie/" : "arguments/";
	return request->cookies ? "registers-cookie/" : "registers/";
}

/* Returns 0, or a negative errno. */
static int prepare(struct bpf_program *program, const struct hook_request *request, const char *symbol)
{
	enum bpf_attach_type type = request->point == BPROBE_ENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT;
	int error = 0;

	if (request->mechanism == KPROBE_MULTI)
		error = bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI);
	if (request->mechanism == KPROBE_SESSION)
		error = bpf_program__set_expected_attach_type(program, TRACE_KPROBE_SESSION);
	if (request->mechanism == TRACING) {
		error = bpf_program__set_expected_attach_type(program, type);
		if (!error)
			error = bpf_program__set_attach_target(program, 0, symbol);
	}
	return error;
}

int copy_introduce(struct copy *copy, const struct hook_request *request, size_t index, const char *symbol)
{
	bool needs_result = request->mechanism == TRACING && request->point == BPROBE_RETURN && !request->cookies;
	struct bpf_map *map = bpf_object__find_map_by_name(copy->object, "self");
	struct self self = {
		.cookie = request->cookie,
		.function = request->addresses[index],
		.point = request->point,
		.result = needs_result ? btf_arguments(symbol) : UINT32_MAX,
	};
	uint32_t key = request->cookies ? request->cookie % COUNTERS : 0;

	return map ? bpf_map_update_elem(bpf_map__fd(map), &key, &self, BPF_ANY) : 0;
}

struct bpf_program *copy_program(const struct copy *copy)
{
	return bpf_object__next_program(copy->object, NULL);
}

struct copy *copy_load(const struct hook_request *request, size_t index, const char *symbol,
		       struct failure *failure)
{
	struct copy *copy = malloc(sizeof(*copy));
	int error;

	*copy = (struct copy){.users = 1, .object = program_open(directory_of(request), request->program, failure)};
	if (!copy->object) {
		free(copy);
		return NULL;
	}
	error = prepare(copy_program(copy), request, symbol);
	if (!error)
		error = program_load(copy->object);
	if (!error)
		error = copy_introduce(copy, request, index, symbol);
	if (!error)
		return copy;
	copy_put(copy);
	fail(failure, -error, "Cannot load %s for %s: %s. %s", request->program, symbol, strerror(-error),
	     program_complaint());
	return NULL;
}

void copy_put(struct copy *copy)
{
	if (--copy->users)
		return;
	bpf_object__close(copy->object);
	free(copy);
}
