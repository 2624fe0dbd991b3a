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
	int objects, links;
	uint64_t took_ns;		/* to attach, without loading programs */
	struct bpf_object **object;	/* one for each function of a trampoline, else one */
	struct bpf_link **link;		/* one for all functions of kprobe-multi, else one for each */
};

static struct hook *hooks;
static int last;

struct request {
	const char *program;
	int mechanism, point;
	uint64_t cookie;
	size_t count;
	unsigned long *addresses;
};

/*
 * The kernel runs its own code with the direction flag of the probed call. So
 * no call may have it set while anything is hooked by the kernel's means. @more
 * is 1 before something is hooked, -1 after it was unhooked.
 */
void clear_direction_flag(int more)
{
	static int users;
	int file = open("/sys/module/fixtures/parameters/direction_flag", O_WRONLY | O_CLOEXEC);

	users += more;
	if (file < 0)
		return;
	/* A failure shows: the kernel dies of it. */
	if (write(file, users ? "N" : "Y", 1) != 1)
		perror("direction_flag");
	close(file);
}

static bool read_addresses(json_t *in, struct request *request, struct failure *failure)
{
	json_t *list = json_object_get(in, "addresses");

	request->count = list ? json_array_size(list) : 1;
	request->addresses = calloc(request->count + 1, sizeof(*request->addresses));
	if (!list)
		return need_hex(in, "address", request->addresses, failure);
	for (size_t i = 0; i < request->count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		bool ok = false;

		request->addresses[i] = text ? hex_value(text, &ok) : 0;
		if (!ok) {
			fail(failure, EINVAL, "Address %zu is no hexadecimal string.", i);
			return false;
		}
	}
	return true;
}

static bool read_request(json_t *in, struct request *request, struct failure *failure)
{
	static const char *const mechanisms[] = {"kprobe", "kprobe-multi", "tracing", NULL};
	int64_t cookie;

	if (!need_string(in, "program", &request->program, failure) ||
	    !need_choice(in, "mechanism", mechanisms, &request->mechanism, failure) ||
	    !need_choice(in, "point", point_names, &request->point, failure) ||
	    !need_number(in, "cookie", &cookie, failure))
		return false;
	request->cookie = cookie;
	return read_addresses(in, request, failure);
}

/* Returns 0, or a negative errno. */
static int prepare(struct bpf_program *program, const struct request *request, const char *symbol)
{
	enum bpf_attach_type type = request->point == BPROBE_ENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT;
	int error = 0;

	if (request->mechanism == KPROBE_MULTI)
		error = bpf_program__set_expected_attach_type(program, BPF_TRACE_KPROBE_MULTI);
	if (request->mechanism == TRACING) {
		error = bpf_program__set_expected_attach_type(program, type);
		if (!error)
			error = bpf_program__set_attach_target(program, 0, symbol);
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
static int introduce(struct bpf_object *object, const struct request *request, size_t index, const char *symbol)
{
	bool needs_result = request->mechanism == TRACING && request->point == BPROBE_RETURN;
	struct bpf_map *map = bpf_object__find_map_by_name(object, "self");
	struct self self = {
		.cookie = request->cookie,
		.function = request->addresses[index],
		.point = request->point,
		.result = needs_result ? arguments_of(symbol) : UINT32_MAX,
	};
	uint32_t key = 0;

	return map ? bpf_map_update_elem(bpf_map__fd(map), &key, &self, BPF_ANY) : 0;
}

/* NULL, with *failure filled, or the program for one function or for all. */
static struct bpf_object *load(const struct request *request, size_t index, const char *symbol, struct failure *failure)
{
	const char *directory = request->mechanism == TRACING ? "arguments/" : "registers/";
	struct bpf_object *object = program_open(directory, request->program, failure);
	int error;

	if (!object)
		return NULL;
	error = prepare(bpf_object__next_program(object, NULL), request, symbol);
	if (!error)
		error = program_load(object);
	if (!error)
		error = introduce(object, request, index, symbol);
	if (!error)
		return object;
	bpf_object__close(object);
	fail(failure, -error, "Cannot load %s for %s: %s. %s", request->program, symbol, strerror(-error),
	     program_complaint());
	return NULL;
}

static struct bpf_link *attach(struct bpf_program *program, const struct request *request, const char *symbol)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, options, .addrs = request->addresses, .cnt = request->count,
		    .retprobe = request->point == BPROBE_RETURN);

	if (request->mechanism == TRACING)
		return bpf_program__attach_trace(program);
	if (request->mechanism == KPROBE_MULTI)
		return bpf_program__attach_kprobe_multi_opts(program, NULL, &options);
	return bpf_program__attach_kprobe(program, request->point == BPROBE_RETURN, symbol);
}

/* Attaches to one function, or by one link to all. */
static bool add_link(struct hook *hook, const struct request *request, size_t index, struct failure *failure)
{
	char symbol[256];
	struct bpf_link *link;
	uint64_t begin;
	int error;

	if (!symbol_name(request->addresses[index], symbol, sizeof(symbol), failure))
		return false;
	if (!hook->objects || request->mechanism == TRACING) {
		struct bpf_object *object = load(request, index, symbol, failure);

		if (!object)
			return false;
		hook->object[hook->objects++] = object;
	}
	begin = now_ns();
	link = attach(bpf_object__next_program(hook->object[hook->objects - 1], NULL), request, symbol);
	error = errno;
	hook->took_ns += link ? now_ns() - begin : 0;
	if (!link) {
		fail(failure, error, "Cannot hook %s: %s. %s", symbol, strerror(error), program_complaint());
		return false;
	}
	hook->link[hook->links++] = link;
	return true;
}

/* Returns 0, or the first negative errno. */
static int destroy(struct hook *hook, uint64_t *detached_ns)
{
	int first = 0, error;

	/* A job that forks has copies for a moment: then this would not be the last. */
	pthread_mutex_lock(&fork_lock);
	for (int i = 0; i < hook->links; i++) {
		error = bpf_link__destroy(hook->link[i]);
		first = first ? first : error;
	}
	*detached_ns = now_ns();
	for (int i = 0; i < hook->objects; i++)
		bpf_object__close(hook->object[i]);
	pthread_mutex_unlock(&fork_lock);
	free(hook->object);
	free(hook->link);
	free(hook);
	return first;
}

json_t *op_hook(json_t *in, struct failure *failure)
{
	struct request request = {};
	struct hook *hook;
	size_t steps, most;
	uint64_t end;

	if (!read_request(in, &request, failure)) {
		free(request.addresses);
		return NULL;
	}
	hook = calloc(1, sizeof(*hook));
	hook->object = calloc(request.count, sizeof(*hook->object));
	hook->link = calloc(request.count, sizeof(*hook->link));
	steps = request.mechanism == KPROBE_MULTI ? 1 : request.count;
	most = get_number(in, "most", 0);
	clear_direction_flag(1);
	for (size_t i = 0; i < steps && (!most || hook->links < (int)most); i++) {
		if (!add_link(hook, &request, i, failure) && !most)
			break;
	}
	free(request.addresses);
	if (!hook->links || (!most && hook->links < (int)steps)) {
		destroy(hook, &end);
		clear_direction_flag(-1);
		return NULL;
	}
	hook->number = ++last;
	hook->next = hooks;
	hooks = hook;
	return json_pack("{s:i, s:i, s:o}", "hook", hook->number, "links", hook->links, "tookNs", hex(hook->took_ns));
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
	uint64_t begin = now_ns(), detached;
	int error;

	if (!found)
		return NULL;
	hook = *found;
	*found = hook->next;
	error = destroy(hook, &detached);
	clear_direction_flag(-1);
	if (error)
		return fail(failure, -error, "Cannot detach: %s.", strerror(-error));
	return json_pack("{s:o, s:o}", "closedNs", hex(detached), "tookNs", hex(detached - begin));
}

int hooks_left(void)
{
	int count = 0;

	for (struct hook *hook = hooks; hook; hook = hook->next)
		count++;
	return count;
}
