/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls in flight of every task: a fixed pool of frames and a table from
 * task to its newest frame. All of it is used with interrupts off and
 * bp_cpu.busy set, so nothing on this CPU can come in between: an NMI that
 * hits a probe sees busy and leaves.
 */
#ifndef BPROBE_FRAME_H
#define BPROBE_FRAME_H

#include <linux/hash.h>
#include <linux/sched.h>

#include "internal.h"

#define BP_WAYS 8

/*
 * A task with calls in flight. Only the task itself changes its entry (its
 * interrupts included), so a lookup by the task needs no lock. Entries are
 * given back with the last frame, or when the task is dead.
 */
struct bp_task {
	struct task_struct *task;
	struct bp_frame *newest;
	/*
	 * A task that was freed while it still ran. We hold it until it is
	 * dead, and no other task may use the entry before.
	 */
	struct task_struct *dying;
};

extern struct bp_task (*bp_tasks)[BP_WAYS];
extern unsigned int bp_task_bits;

int bp_frames_init(void);
void bp_frames_exit(void);
unsigned int bp_frames_total(void);
struct bp_frame *bp_frame_refill(struct bp_cpu *cpu);
struct bp_frame *bp_frame_at(struct bp_cpu *cpu, struct bp_task *task, const unsigned long *slot);
void bp_frame_spill(struct bp_frame *frame);

int bp_tasks_init(void);
void bp_tasks_exit(void);
unsigned int bp_frames_live(void);
struct bp_task *bp_task_claim_any(struct bp_task *set, struct task_struct *task);
bool bp_task_gone(const struct task_struct *task);
void bp_frames_short(void);
void bp_task_forget(struct bp_task *set, const struct task_struct *task);

/* Frames that a sweep left: held by another tracer, or of tasks that are about to run. */
struct bp_left {
	unsigned int held;
	unsigned int unsure;
};
struct bp_left bp_sweep(void);

extern unsigned int bp_cpu_frames_max;

static __always_inline struct bp_frame *bp_frame_alloc(struct bp_cpu *cpu)
{
	struct bp_frame *frame = cpu->free;

	if (unlikely(!frame))
		return bp_frame_refill(cpu);
	cpu->free = frame->below;
	cpu->free_count--;
	return frame;
}

static __always_inline void bp_frame_free(struct bp_cpu *cpu, struct bp_frame *frame)
{
	if (unlikely(cpu->free_count >= bp_cpu_frames_max)) {
		bp_frame_spill(frame);
		return;
	}
	frame->below = cpu->free;
	cpu->free = frame;
	cpu->free_count++;
}

static __always_inline struct bp_task *bp_task_set(const struct task_struct *task)
{
	return bp_tasks[hash_ptr(task, bp_task_bits)];
}

/* The entry in @set of the running task, NULL while it has no calls in flight. */
static __always_inline struct bp_task *bp_task_find(struct bp_task *set, const struct task_struct *task)
{
	int way;

	/*
	 * Most hits check all ways and find nothing: unrolled, unlikely and
	 * without READ_ONCE(), each takes two instructions, not seven. Other
	 * tasks may change their entries at the same time, but none will ever
	 * look like ours.
	 */
	if (set->task == task)
		return set;
#pragma GCC unroll 8
	for (way = 1; way < BP_WAYS; way++) {
		if (unlikely(set[way].task == task))
			return &set[way];
	}
	return NULL;
}

/* A free entry in @set for the running task, NULL if there is none. The first one is nearly always free. */
static __always_inline struct bp_task *bp_task_claim(struct bp_task *set, struct task_struct *task)
{
	if (BP_FREED_WHILE_RUNNING && unlikely(task->exit_state))
		return bp_task_claim_any(set, task);
	if (likely(!READ_ONCE(set->task) && !READ_ONCE(set->dying)) && likely(!cmpxchg(&set->task, NULL, task)))
		return set;
	return bp_task_claim_any(set, task);
}

static __always_inline void bp_task_release(struct bp_task *entry)
{
	/* Pairs with the cmpxchg of the next owner, who must see newest == NULL. */
	smp_store_release(&entry->task, NULL);
}

#endif
