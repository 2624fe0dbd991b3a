/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which probe it is. The kernel's own mechanisms give a program no cookie on old
 * kernels: there, who attaches loads a copy of the program for each probe, and
 * its map has one entry. With cookies (SEES_COOKIE), probes may share a program,
 * whose map has one for each.
 */
#ifndef SELF_H
#define SELF_H

#ifdef SEES_COOKIE
#define SELVES COUNTERS
#else
#define SELVES 1
#endif

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SELVES);
	__type(key, __u32);
	__type(value, struct self);
} self SEC(".maps");

static always_inline struct self *self_of(void *ctx)
{
#ifdef SEES_COOKIE
	__u32 key = bpf_get_attach_cookie(ctx) % SELVES;
#else
	__u32 key = 0;
#endif

	return bpf_map_lookup_elem(&self, &key);
}

static always_inline __u64 cookie_of(void *ctx)
{
#ifdef SEES_COOKIE
	return bpf_get_attach_cookie(ctx);
#else
	struct self *found = self_of(ctx);

	return found ? found->cookie : 0;
#endif
}

/* What both kinds of programs tell alike; NULL if the map has no entry. */
static always_inline struct self *begin_ext(void *ctx, struct bprobe_ext *ext)
{
	struct self *found = self_of(ctx);

	__builtin_memset(ext, 0, sizeof(*ext));
	ext->cookie = cookie_of(ctx);
	if (found)
		ext->function = found->function;
	return found;
}

#endif
