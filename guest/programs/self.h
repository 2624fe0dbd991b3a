/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own mechanisms give a program no cookie on old kernels. So who
 * attaches loads a copy of the program for each probe, with a map that says
 * which probe it is.
 */
#ifndef SELF_H
#define SELF_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct self);
} self SEC(".maps");

static always_inline struct self *self_of(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&self, &key);
}

/* What both kinds of programs tell alike; NULL if the map has no entry. */
static always_inline struct self *begin_ext(struct bprobe_ext *ext)
{
	struct self *found = self_of();

	__builtin_memset(ext, 0, sizeof(*ext));
	if (found) {
		ext->cookie = found->cookie;
		ext->function = found->function;
	}
	return found;
}

static always_inline __u64 cookie_of(void *ctx)
{
	struct self *found = self_of();

	return found ? found->cookie : 0;
}

#endif
