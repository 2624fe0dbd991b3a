/* SPDX-License-Identifier: GPL-2.0 */
/* What a hook by one of the kernel's own mechanisms is made of. */
#ifndef HOOKS_H
#define HOOKS_H

#include <bpf/libbpf.h>
#include "agent.h"

enum mechanism { KPROBE, KPROBE_MULTI, KPROBE_SESSION, TRACING };

/* linux/bpf.h of the host may be too old to know it. */
#define TRACE_KPROBE_SESSION ((enum bpf_attach_type)56)

struct hook_request {
	const char *program;
	int mechanism, point;
	uint64_t cookie;
	bool cookies;		/* programs of this mechanism can ask for their cookie */
	int maxactive;		/* of a kretprobe; 0: what the kernel takes for it */
	size_t count;
	unsigned long *addresses;
};

/* hooks.c; fills `addresses` in any case, with what has to be freed. */
bool hook_request_read(json_t *in, struct hook_request *request, struct failure *failure);

/* copies.c: a copy of a program, which several hooks may share. */
struct copy {
	int users;
	struct bpf_object *object;
};

struct copy *copy_load(const struct hook_request *request, size_t index, const char *symbol,
		       struct failure *failure);	/* NULL: failed */
int copy_introduce(struct copy *copy, const struct hook_request *request, size_t index, const char *symbol);
struct bpf_program *copy_program(const struct copy *copy);
void copy_put(struct copy *copy);

/* links.c: what attaches a program. */
struct link {
	struct bpf_link *link;	/* or NULL, and only a descriptor */
	int fd;
	char event[32];		/* of tracefs, which goes with it, or empty */
};

bool link_open(struct link *link, struct bpf_program *program, const struct hook_request *request,
	       const char *symbol);	/* else with errno */
int link_close(struct link *link);	/* 0, or a negative errno */
uint64_t link_missed(const struct link *link);

#endif
