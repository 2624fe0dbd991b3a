/* SPDX-License-Identifier: GPL-2.0 */
/* Call stacks, by the id that bpf_get_stackid() returns. */
#ifndef STACKS_H
#define STACKS_H

#include "program.h"

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, STACK_WORDS * sizeof(__u64));
} stacks SEC(".maps");

#endif
