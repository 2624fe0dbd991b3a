// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches programs by the kernel's own mechanisms: kprobe and kretprobe,
 * kprobe-multi, fentry and fexit. A hook is one probe, or one for each of many
 * functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "hooks.h"

struct hook {
	struct hook *next;
	int number;
	int copies, links;
	uint64_t took_ns;		/* to attach, without loading programs */
	struct copy **copy;		/* one for each function of a trampoline, else one */
	struct link *link;		/* one for all functions of kprobe-multi, else one for each */
};

static struct hook *hooks;
static int last;

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

static bool read_addresses(json_t *in, struct hook_request *request, struct failure *failure)
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

bool hook_request_read(json_t *in, struct hook_request *request, struct failure *failure)
{
	static const char *const mechanisms[] = {"kprobe", "kprobe-multi", "kprobe-session", "tracing", NULL};
	int64_t cookie;

	if (!need_string(in, "program", &request->program, failure) ||
	    !need_choice(in, "mechanism", mechanisms, &request->mechanism, failure) ||
	    !need_choice(in, "point", point_names, &request->point, failure) ||
	    !need_number(in, "cookie", &cookie, failure))
		return false;
	request->cookie = cookie;
	request->cookies = json_is_true(json_object_get(in, "cookies"));
	request->maxactive = get_number(in, "maxactive", 0);
	return read_addresses(in, request, failure);
}

/* The program that another hook has, for this one, too. NULL, with *failure filled, if that cannot be. */
static struct copy *share(const struct hook *other, const struct hook_request *request, const char *symbol,
			  struct failure *failure)
{
	struct copy *copy = other->copy[0];
	int error = request->cookies ? copy_introduce(copy, request, 0, symbol) : -EOPNOTSUPP;

	if (error) {
		fail(failure, -error, "Cannot share the program of hook %d: %s.", other->number, strerror(-error));
		return NULL;
	}
	copy->users++;
	return copy;
}

/* Attaches to one function, or by one link to all. */
static bool add_link(struct hook *hook, const struct hook_request *request, const struct hook *other, size_t index,
		     struct failure *failure)
{
	char symbol[256];
	uint64_t begin;

	if (!symbol_name(request->addresses[index], symbol, sizeof(symbol), failure))
		return false;
	if (!hook->copies || request->mechanism == TRACING) {
		struct copy *copy = other ? share(other, request, symbol, failure) : copy_load(request, index, symbol, failure);

		if (!copy)
			return false;
		hook->copy[hook->copies++] = copy;
	}
	begin = now_ns();
	if (!link_open(&hook->link[hook->links], copy_program(hook->copy[hook->copies - 1]), request, symbol)) {
		int error = errno;

		fail(failure, error, "Cannot hook %s: %s. %s", symbol, strerror(error), program_complaint());
		return false;
	}
	hook->took_ns += now_ns() - begin;
	hook->links++;
	return true;
}

/* Returns 0, or the first negative errno. */
static int destroy(struct hook *hook, uint64_t *detached_ns)
{
	int first = 0, error;

	/* A job that forks has copies for a moment: then this would not be the last. */
	pthread_mutex_lock(&fork_lock);
	for (int i = 0; i < hook->links; i++) {
		error = link_close(&hook->link[i]);
		first = first ? first : error;
	}
	*detached_ns = now_ns();
	for (int i = 0; i < hook->copies; i++)
		copy_put(hook->copy[i]);
	pthread_mutex_unlock(&fork_lock);
	free(hook->copy);
	free(hook->link);
	free(hook);
	return first;
}

static struct hook **find(json_t *in, const char *name, struct failure *failure)
{
	int64_t number;

	if (!need_number(in, name, &number, failure))
		return NULL;
	for (struct hook **hook = &hooks; *hook; hook = &(*hook)->next) {
		if ((*hook)->number == number)
			return hook;
	}
	fail(failure, EBADF, "There is no hook %ld.", (long)number);
	return NULL;
}

/* Fails if it is hooked to fewer functions than `most`, or than there are. */
static bool add_links(struct hook *hook, json_t *in, const struct hook_request *request, struct failure *failure)
{
	bool is_one = request->mechanism == KPROBE_MULTI || request->mechanism == KPROBE_SESSION;
	int steps = is_one ? 1 : request->count, most = get_number(in, "most", 0);
	struct hook **other = NULL;

	if (json_object_get(in, "sharing")) {
		other = find(in, "sharing", failure);
		if (!other)
			return false;
	}
	for (int i = 0; i < steps && (!most || hook->links < most); i++) {
		if (!add_link(hook, request, other ? *other : NULL, i, failure) && !most)
			break;
	}
	return hook->links && (most || hook->links == steps);
}

json_t *op_hook(json_t *in, struct failure *failure)
{
	struct hook_request request = {};
	struct hook *hook;
	uint64_t end;
	bool ok;

	if (!hook_request_read(in, &request, failure)) {
		free(request.addresses);
		return NULL;
	}
	hook = calloc(1, sizeof(*hook));
	hook->copy = calloc(request.count, sizeof(*hook->copy));
	hook->link = calloc(request.count, sizeof(*hook->link));
	clear_direction_flag(1);
	ok = add_links(hook, in, &request, failure);
	free(request.addresses);
	if (!ok) {
		destroy(hook, &end);
		clear_direction_flag(-1);
		return NULL;
	}
	hook->number = ++last;
	hook->next = hooks;
	hooks = hook;
	return json_pack("{s:i, s:i, s:o}", "hook", hook->number, "links", hook->links, "tookNs", hex(hook->took_ns));
}

json_t *op_unhook(json_t *in, struct failure *failure)
{
	struct hook **found = find(in, "hook", failure), *hook;
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

json_t *op_hook_misses(json_t *in, struct failure *failure)
{
	struct hook **found = find(in, "hook", failure);
	uint64_t by_program = 0, by_link = 0;

	if (!found)
		return NULL;
	for (int i = 0; i < (*found)->copies; i++) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(copy_program((*found)->copy[i])), &info, &size))
			by_program += info.recursion_misses;
	}
	for (int i = 0; i < (*found)->links; i++)
		by_link += link_missed(&(*found)->link[i]);
	return json_pack("{s:I, s:I}", "byProgram", (json_int_t)by_program, "byLink", (json_int_t)by_link);
}

int hooks_left(void)
{
	int count = 0;

	for (struct hook *hook = hooks; hook; hook = hook->next)
		count++;
	return count;
}
