// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches programs by the kernel's own mechanisms, through libbpf: kprobe and
 * kretprobe (a perf event, or before Linux 4.17 an event of tracefs),
 * kprobe-multi (fprobe), fentry and fexit (a trampoline, by BTF). Each hook has
 * its own copy of the program, because old kernels give programs no cookie.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "agent.h"

enum mechanism { KPROBE, KPROBE_MULTI, TRACING };

struct hook {
	struct hook *next;
	int number;
	struct bpf_object *object;
	struct bpf_link *link;
};

static struct hook *hooks;
static int last;

struct request {
	const char *program;
	int mechanism, point;
	uint64_t address, cookie;
	char symbol[256];
};

/*
 * The kernel runs its own code with the direction flag of the probed call. So
 * no call may have it set while anything is hooked by the kernel's means.
 */
static void allow_direction_flag(bool allowed)
{
	int file = open("/sys/module/fixtures/parameters/direction_flag", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	/* A failure shows: the kernel dies of it. */
	if (write(file, allowed ? "Y" : "N", 1) != 1)
		perror("direction_flag");
	close(file);
}

static bool read_request(json_t *in, struct request *request, struct failure *failure)
{
	static const char *const mechanisms[] = {"kprobe", "kprobe-multi", "tracing", NULL};
	int64_t cookie;

	if (!need_string(in, "program", &request->program, failure) ||
	    !need_choice(in, "mechanism", mechanisms, &request->mechanism, failure) ||
	    !need_choice(in, "point", point_names, &request->point, failure) ||
	    !need_hex(in, "address", &request->address, failure) ||
	    !need_number(in, "cookie", &cookie, failure))
		return false;
	request->cookie = cookie;
	return symbol_name(request->address, request->symbol, sizeof(request->symbol), failure);
}

/* Returns 0, or a negative errno. */
static int prepare(struct bpf_program *program, const struct request *request)
{
	enum bpf_attach_type type = request->point == BPROBE_ENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT;
	int error = 0;

	if (request->mechanism == KPROBE_MULTI)
		error = bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI);
	if (request->mechanism == TRACING) {
		error = bpf_program__set_expected_attach_type(program, type);
		if (!error)
			error = bpf_program__set_attach_target(program, 0, request->symbol);
	}
	return error;
}

/* How many arguments the function has, by its BTF; libbpf has found it already when this is called. */
static uint32_t arguments_of(const char *symbol)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *module = NULL;
	const struct btf *btf = kernel;
	uint32_t count = UINT32_MAX;
	int id = kernel ? btf__find_by_name_kind(kernel, symbol, BTF_KIND_FUNC) : -ENOENT;

	if (kernel && id < 0) {
		module = btf__load_module_btf("fixtures", kernel);
		id = module ? btf__find_by_name_kind(module, symbol, BTF_KIND_FUNC) : -ENOENT;
		btf = module;
	}
	if (id >= 0)
		count = btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, id)->type));
	btf__free(module);
	btf__free(kernel);
	return count;
}

/* Tells the program which probe it is. */
static int introduce(struct bpf_object *object, const struct request *request)
{
	bool needs_result = request->mechanism == TRACING && request->point == BPROBE_RETURN;
	struct bpf_map *map = bpf_object__find_map_by_name(object, "self");
	struct self self = {
		.cookie = request->cookie,
		.function = request->address,
		.point = request->point,
		.result = needs_result ? arguments_of(request->symbol) : UINT32_MAX,
	};
	uint32_t key = 0;

	return map ? bpf_map_update_elem(bpf_map__fd(map), &key, &self, BPF_ANY) : 0;
}

static struct bpf_link *attach(struct bpf_program *program, const struct request *request)
{
	const unsigned long address = request->address;

	if (request->mechanism == TRACING)
		return bpf_program__attach_trace(program);
	if (request->mechanism == KPROBE_MULTI) {
		LIBBPF_OPTS(bpf_kprobe_multi_opts, options, .addrs = &address, .cnt = 1,
			    .retprobe = request->point == BPROBE_RETURN);

		return bpf_program__attach_kprobe_multi_opts(program, NULL, &options);
	}
	return bpf_program__attach_kprobe(program, request->point == BPROBE_RETURN, request->symbol);
}

json_t *op_hook(json_t *in, struct failure *failure)
{
	struct request request = {};
	struct bpf_program *program;
	struct bpf_object *object;
	struct hook *hook;
	struct bpf_link *link;
	int error;

	if (!read_request(in, &request, failure))
		return NULL;
	object = program_open(request.mechanism == TRACING ? "arguments/" : "registers/", request.program, failure);
	if (!object)
		return NULL;
	program = bpf_object__next_program(object, NULL);
	error = prepare(program, &request);
	if (!error)
		error = program_load(object);
	if (!error)
		error = introduce(object, &request);
	allow_direction_flag(false);
	link = error ? NULL : attach(program, &request);
	if (!link) {
		error = error ? -error : errno;
		allow_direction_flag(!hooks);
		fail(failure, error, "Cannot hook %s: %s. %s", request.symbol, strerror(error), program_complaint());
		bpf_object__close(object);
		return NULL;
	}
	hook = malloc(sizeof(*hook));
	*hook = (struct hook){.next = hooks, .number = ++last, .object = object, .link = link};
	hooks = hook;
	return json_pack("{s:i}", "hook", hook->number);
}

static struct hook **find(json_t *in, struct failure *failure)
{
	int64_t number;

	if (!need_number(in, "hook", &number, failure))
		return NULL;
	for (struct hook **hook = &hooks; *hook; hook = &(*hook)->next) {
		if ((*hook)->number == number)
			return hook;
	}
	fail(failure, EBADF, "There is no hook %ld.", (long)number);
	return NULL;
}

json_t *op_unhook(json_t *in, struct failure *failure)
{
	struct hook **found = find(in, failure), *hook;
	uint64_t closed;
	int error;

	if (!found)
		return NULL;
	hook = *found;
	*found = hook->next;
	/* A job that forks has copies for a moment: then this would not be the last. */
	pthread_mutex_lock(&fork_lock);
	error = bpf_link__destroy(hook->link);
	closed = now_ns();
	bpf_object__close(hook->object);
	pthread_mutex_unlock(&fork_lock);
	free(hook);
	allow_direction_flag(!hooks);
	if (error)
		return fail(failure, -error, "Cannot detach: %s.", strerror(-error));
	return json_pack("{s:o}", "closedNs", hex(closed));
}

int hooks_left(void)
{
	int count = 0;

	for (struct hook *hook = hooks; hook; hook = hook->next)
		count++;
	return count;
}
