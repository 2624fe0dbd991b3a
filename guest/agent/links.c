// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches programs: to a perf event of a kprobe or a kretprobe (before Linux
 * 4.17, or with a maxactive of one's own, an event of tracefs), by a link to
 * all functions of kprobe-multi or of a session, or to a trampoline.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "hooks.h"

#define TRACEFS "/sys/kernel/tracing/"
#define GROUP "probe_matrix"
/* linux/bpf.h of the host may be too old to know these. */
#define KPROBE_MULTI_MISSED 32		/* offsets in struct bpf_link_info, since Linux 6.7 */
#define PERF_EVENT_MISSED 48

/* What libbpf gives the kernel: 0 means none. */
static uint64_t cookie_of(const struct hook_request *request)
{
	return request->cookies ? request->cookie : 0;
}

static bool write_events(const char *line)
{
	int file = open(TRACEFS "kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	bool ok = file >= 0 && write(file, line, strlen(line)) == (ssize_t)strlen(line);
	int error = errno;

	if (file >= 0)
		close(file);
	errno = error;
	return ok;
}

static void remove_event(struct link *link)
{
	char line[64];

	if (!*link->event)
		return;
	snprintf(line, sizeof(line), "-:" GROUP "/%s", link->event);
	if (!write_events(line))
		perror(line);
}

/* The descriptor of a perf event for the event of tracefs; -1: failed. */
static int open_event(const struct link *link)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1};
	unsigned long long id;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), TRACEFS "events/" GROUP "/%s/id", link->event);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%llu", &id) != 1)
		id = 0;
	fclose(file);
	attr.config = id;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Neither the perf event of a kretprobe nor libbpf takes a maxactive. */
static bool open_with_maxactive(struct link *link, struct bpf_program *program, const struct hook_request *request,
				const char *symbol)
{
	LIBBPF_OPTS(bpf_perf_event_opts, options, .bpf_cookie = cookie_of(request));
	static int last;
	char line[320];
	int fd;

	snprintf(link->event, sizeof(link->event), "hook_%d", ++last);
	snprintf(line, sizeof(line), "r%d:" GROUP "/%s %s", request->maxactive, link->event, symbol);
	if (!write_events(line)) {
		*link->event = 0;
		return false;
	}
	fd = open_event(link);
	link->link = fd < 0 ? NULL : bpf_program__attach_perf_event_opts(program, fd, &options);
	if (link->link)
		return true;
	if (fd >= 0)
		close(fd);
	remove_event(link);
	return false;
}

static bool open_kprobe(struct link *link, struct bpf_program *program, const struct hook_request *request,
			const char *symbol)
{
	LIBBPF_OPTS(bpf_kprobe_opts, options, .retprobe = request->point == BPROBE_RETURN,
		    .bpf_cookie = cookie_of(request));

	link->link = bpf_program__attach_kprobe_opts(program, symbol, &options);
	return link->link;
}

static bool open_tracing(struct link *link, struct bpf_program *program, const struct hook_request *request)
{
	LIBBPF_OPTS(bpf_trace_opts, options, .cookie = cookie_of(request));

	link->link = bpf_program__attach_trace_opts(program, &options);
	return link->link;
}

/* Not by libbpf, whose version here knows no sessions. */
static bool open_multi(struct link *link, struct bpf_program *program, const struct hook_request *request)
{
	uint64_t cookies[request->count];
	union bpf_attr attr = {
		.link_create = {
			.prog_fd = bpf_program__fd(program),
			.attach_type = request->mechanism == KPROBE_SESSION ? TRACE_KPROBE_SESSION : BPF_TRACE_KPROBE_MULTI,
			.kprobe_multi = {
				.flags = request->point == BPROBE_RETURN ? BPF_F_KPROBE_MULTI_RETURN : 0,
				.cnt = request->count,
				.addrs = (uintptr_t)request->addresses,
				.cookies = request->cookies ? (uintptr_t)cookies : 0,
			},
		},
	};

	for (size_t i = 0; i < request->count; i++)
		cookies[i] = request->cookie;
	link->fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return link->fd >= 0;
}

bool link_open(struct link *link, struct bpf_program *program, const struct hook_request *request, const char *symbol)
{
	*link = (struct link){.fd = -1};
	if (request->mechanism == TRACING)
		return open_tracing(link, program, request);
	if (request->mechanism != KPROBE)
		return open_multi(link, program, request);
	if (request->maxactive)
		return open_with_maxactive(link, program, request, symbol);
	return open_kprobe(link, program, request, symbol);
}

int link_close(struct link *link)
{
	int error = link->link ? bpf_link__destroy(link->link) : close(link->fd) ? -errno : 0;

	remove_event(link);
	return error;
}

uint64_t link_missed(const struct link *link)
{
	/* Larger than any struct bpf_link_info so far; what the kernel does not know of it stays 0. */
	union {
		struct bpf_link_info info;
		char bytes[256];
	} answer = {};
	uint32_t size = sizeof(answer);
	uint64_t missed = 0;

	if (bpf_obj_get_info_by_fd(link->link ? bpf_link__fd(link->link) : link->fd, &answer, &size))
		return 0;
	if (answer.info.type == BPF_LINK_TYPE_KPROBE_MULTI)
		memcpy(&missed, answer.bytes + KPROBE_MULTI_MISSED, sizeof(missed));
	if (answer.info.type == BPF_LINK_TYPE_PERF_EVENT)
		memcpy(&missed, answer.bytes + PERF_EVENT_MISSED, sizeof(missed));
	return missed;
}
