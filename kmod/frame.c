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

unsigned int bp_frames_total(void)
{
	return frames;
}

int bp_frames_init(void)
{
	unsigned int i;

	frames = clamp(frames, 64u, 1u << 20);
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
