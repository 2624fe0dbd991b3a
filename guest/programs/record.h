/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps everything that a program can know about a call. */
#ifndef RECORD_H
#define RECORD_H

#include "stacks.h"

/* Who loads it makes it EVENTS_PER_CPU entries for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EVENTS_PER_CPU);
	__type(key, __u32);
	__type(value, struct event);
} events SEC(".maps");

/* Runs on this CPU so far. The kernel lets no program interrupt another on its CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} cursors SEC(".maps");

/* Returns the event of this run, or 0 if there is no room for it. */
static always_inline struct event *keep(__u64 *ctx)
{
	__u32 key = 0, cpu = bpf_get_smp_processor_id();
	__u64 *cursor = bpf_map_lookup_elem(&cursors, &key);
	struct event *event;
	__u64 run;

	if (!cursor)
		return 0;
	run = *cursor;
	*cursor = run + 1;
	if (run >= EVENTS_PER_CPU)
		return 0;
	key = cpu * EVENTS_PER_CPU + run;
	event = bpf_map_lookup_elem(&events, &key);
	if (!event)
		return 0;
	event->time_ns = bpf_ktime_get_ns();
	event->pid_tgid = bpf_get_current_pid_tgid();
	event->cpu = cpu;
	read_regs(ctx, event->regs);
	event->slot = 0;
	bpf_probe_read(&event->slot, sizeof(event->slot), (void *)event->regs[SP]);
	read_ext(ctx, &event->ext);
	event->stack_id = bpf_get_stackid(ctx, &stacks, 0);
	count(ctx);
	return event;
}

#endif
