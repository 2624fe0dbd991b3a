// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of frames: each CPU keeps some for itself, a lock-free stack holds
 * the rest.
 */
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "frame.h"

static unsigned int frames = 4096;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "calls that can be in flight at once in functions with return probes");

DEFINE_PER_CPU(struct bp_cpu, bp_cpu);

/*
 * How many frames a CPU keeps. No other CPU can use them, so all CPUs together
 * keep a quarter of them at most. Otherwise calls would be missed while most
 * frames are free.
 */
unsigned int bp_cpu_frames_max __read_mostly;

static struct bp_frame *pool;
static u32 *pool_next;

/*
 * The frames that no CPU keeps for itself: a stack of indices. The upper half
 * counts changes. Without it a pop that read an old "next" could succeed after
 * the same index came back on top (ABA), and hand out a frame that is in use.
 */
static atomic64_t pool_top;
#define POOL_EMPTY 0xffffffffu

struct bp_frame *bp_frame_refill(struct bp_cpu *cpu)
{
	u64 top = atomic64_read(&pool_top), seen;
	u32 index;

	do {
		index = (u32)top;
		if (index == POOL_EMPTY)
			return NULL;
		seen = top;
		top = atomic64_cmpxchg(&pool_top, seen,
				       ((seen >> 32) + 1) << 32 | READ_ONCE(pool_next[index]));
	} while (top != seen);
	return &pool[index];
}
NOKPROBE_SYMBOL(bp_frame_refill);

void bp_frame_spill(struct bp_frame *frame)
{
	u32 index = frame - pool;
	u64 top = atomic64_read(&pool_top), seen;

	do {
		seen = top;
		WRITE_ONCE(pool_next[index], (u32)seen);
		top = atomic64_cmpxchg(&pool_top, seen, ((seen >> 32) + 1) << 32 | index);
	} while (top != seen);
}
NOKPROBE_SYMBOL(bp_frame_spill);

/*
 * The newest frame of @task at @slot, whose call is in flight or returns now;
 * NULL if there is none. Frees newer ones: they belong to calls that ended
 * without a return, on a stack that the task has left.
 */
struct bp_frame *bp_frame_at(struct bp_cpu *cpu, struct bp_task *task, const unsigned long *slot)
{
	struct bp_frame *frame = task ? task->newest : NULL, *below;

	while (frame && frame->slot != slot)
		frame = frame->below;
	if (!frame)
		return NULL;
	while (task->newest != frame) {
		below = task->newest->below;
		bp_frame_free(cpu, task->newest);
		WRITE_ONCE(task->newest, below);
	}
	return frame;
}
NOKPROBE_SYMBOL(bp_frame_at);

unsigned int bp_frames_total(void)
{
	return frames;
}

int bp_frames_init(void)
{
	unsigned int i;

	frames = clamp(frames, 64u, 1u << 20);
	bp_cpu_frames_max = min(frames / 4 / num_possible_cpus(), 32u);
	pool = vzalloc((size_t)frames * sizeof(*pool));
	pool_next = vzalloc((size_t)frames * sizeof(*pool_next));
	if (!pool || !pool_next) {
		bp_frames_exit();
		return -ENOMEM;
	}
	atomic64_set(&pool_top, POOL_EMPTY);
	for (i = frames; i--;)
		bp_frame_spill(&pool[i]);
	return 0;
}

void bp_frames_exit(void)
{
	vfree(pool_next);
	vfree(pool);
}
