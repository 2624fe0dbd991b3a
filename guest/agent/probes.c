// SPDX-License-Identifier: GPL-2.0
/* Attaches and closes probes by libbprobe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"

json_t *op_attach(json_t *in, struct failure *failure)
{
	struct bprobe_options options = {
		.cookie = get_number(in, "cookie", 0),
		.flags = json_is_true(json_object_get(in, "notInInterrupt")) ? BPROBE_NOT_IN_INTERRUPT : 0,
	};
	const char *symbol = json_string_value(json_object_get(in, "symbol"));
	int device = bprobe_device(failure), program, point, probe;
	uint64_t address = 0;

	if (device < 0)
		return NULL;
	program = handle_fd(in, "prog", PROG, failure);
	if (program < 0 || !need_choice(in, "point", point_names, &point, failure))
		return NULL;
	if (!symbol && !need_hex(in, "address", &address, failure))
		return NULL;
	if (symbol)
		probe = bprobe_attach_symbol(device, program, point, symbol, &options);
	else
		probe = bprobe_attach_address(device, program, point, address, &options);
	if (probe < 0)
		return fail_errno(failure, "Cannot attach");
	return json_pack("{s:i}", "probe", handle_add(PROBE, probe));
}

json_t *op_close(json_t *in, struct failure *failure)
{
	if (handle_close(in, "probe", PROBE, failure))
		return NULL;
	return json_pack("{s:o}", "closedNs", hex(now_ns()));
}

json_t *op_info(json_t *in, struct failure *failure)
{
	static const char *const misses[BPROBE_MISS_MAX] = {"recursion", "nmi", "noRcu", "noFrame", "bpfBusy", "kprobe"};
	int probe = handle_fd(in, "probe", PROBE, failure);
	struct bprobe_info info;
	json_t *by_reason;

	if (probe < 0)
		return NULL;
	if (bprobe_get_info(probe, &info))
		return fail_errno(failure, "Cannot ask the probe");
	by_reason = json_object();
	for (int i = 0; i < BPROBE_MISS_MAX; i++)
		json_object_set_new(by_reason, misses[i], json_integer(info.misses[i]));
	info.symbol[BPROBE_NAME_LEN - 1] = 0;
	return json_pack("{s:s, s:o, s:o, s:I, s:s, s:I, s:o, s:s}", "point", bprobe_point_name(info.point),
			 "address", hex(info.address), "cookie", hex(info.cookie), "progId", (json_int_t)info.prog_id,
			 "hook", bprobe_hook_name(info.hook), "hits", (json_int_t)info.hits, "misses", by_reason,
			 "symbol", info.symbol);
}

/* All of @file from its place on; it has no NUL. */
static bool read_rest(FILE *file, char **text, size_t *size)
{
	return getdelim(text, size, 0, file) >= 0 || !ferror(file);
}

json_t *op_listing(json_t *in, struct failure *failure)
{
	FILE *file = fopen(BPROBE_DEVICE, "re");
	char *text = NULL;
	size_t size = 0;
	json_t *out;

	(void)in;
	if (!file)
		return fail_errno(failure, "Cannot read " BPROBE_DEVICE);
	/* Twice, as those do who show what has changed. */
	if (!read_rest(file, &text, &size) || fseek(file, 0, SEEK_SET) || !read_rest(file, &text, &size)) {
		fail_errno(failure, "Cannot read " BPROBE_DEVICE);
		out = NULL;
	} else {
		out = json_pack("{s:s}", "text", text ? text : "");
	}
	free(text);
	fclose(file);
	return out;
}

static json_t *by_socket(int probe, struct failure *failure)
{
	int pair[2], copy = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return fail_errno(failure, "Cannot make sockets");
	if (!bprobe_send(pair[0], probe))
		copy = bprobe_receive(pair[1]);
	if (copy < 0)
		fail_errno(failure, "Cannot pass the probe");
	close(pair[0]);
	close(pair[1]);
	return copy < 0 ? NULL : json_pack("{s:i}", "copy", handle_add(PROBE, copy));
}

/*
 * dup: a second descriptor. fork: a child that holds a copy until it is killed.
 * socket: a copy that was sent and received.
 */
json_t *op_probe_fds(json_t *in, struct failure *failure)
{
	static const char *const ways[] = {"dup", "fork", "socket", NULL};
	int probe = handle_fd(in, "probe", PROBE, failure), way, copy;
	pid_t pid;

	if (probe < 0 || !need_choice(in, "how", ways, &way, failure))
		return NULL;
	if (way == 2)
		return by_socket(probe, failure);
	if (way == 0) {
		copy = fcntl(probe, F_DUPFD_CLOEXEC, 3);
		if (copy < 0)
			return fail_errno(failure, "Cannot duplicate the probe");
		return json_pack("{s:i}", "copy", handle_add(PROBE, copy));
	}
	pid = fork_clean(&probe, 1);
	if (!pid) {
		for (;;)
			pause();
	}
	if (pid < 0)
		return fail_errno(failure, "Cannot fork");
	return json_pack("{s:i}", "task", task_add(pid));
}
