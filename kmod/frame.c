// SPDX-License-Identifier: GPL-2.0
/*
 * Storage of the calls in flight: see frame.h.
 */
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/sched/task_stack.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>

#include "frame.h"

static unsigned int frames = 4096;
module_param(frames, uint, 0444);
MODULE_PARM_DESC(frames, "calls that can be in flight at once in functions with return probes");

DEFINE_PER_CPU(struct bp_cpu, bp_cpu);
struct bp_task (*bp_tasks)[BP_WAYS];
unsigned int bp_task_bits;

static struct bp_frame *pool;
static u32 *pool_next;

/*
 * What no CPU keeps for itself: a stack of indices. The upper half counts the
 * changes, or a pop that read an old "next" could succeed after the same index
 * came back on top (ABA) and hand out a frame that is in use.
 */
static atomic64_t pool_top;
#define POOL_EMPTY 0xffffffffu

static struct tracepoint *free_tracepoint;

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

struct bp_task *bp_task_claim(struct task_struct *task)
{
	struct bp_task *set = bp_task_set(task);
	int way;

	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) || cmpxchg(&set[way].task, NULL, task))
			continue;
		set[way].reaped = false;
		return &set[way];
	}
	return NULL;
}
NOKPROBE_SYMBOL(bp_task_claim);

/* Gives back an entry with all its frames, none of which will ever return. */
void bp_task_forget(struct bp_task *entry)
{
	struct bp_frame *frame = entry->newest, *below;

	entry->newest = NULL;
	for (; frame; frame = below) {
		below = frame->below;
		bp_frame_spill(frame);
	}
	bp_task_release(entry);
}
NOKPROBE_SYMBOL(bp_task_forget);

/*
 * The tracepoint sched_process_free: the last event of @task before its memory
 * can be another task's. Not its exit: do_exit() goes on calling functions.
 */
static void task_freed(void *data, struct task_struct *task)
{
	struct bp_task *set = bp_task_set(task);
	int way;

	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) != task)
			continue;
		/*
		 * Before 5.4 a task that reaps itself gets here while it still
		 * runs the end of do_exit(), where it may call and return.
		 */
		if (bp_task_is_dead(task) && !READ_ONCE(task->on_cpu))
			bp_task_forget(&set[way]);
		else
			WRITE_ONCE(set[way].reaped, true);
	}
}

static void pick_tracepoint(struct tracepoint *tracepoint, void *name)
{
	if (!strcmp(tracepoint->name, name))
		free_tracepoint = tracepoint;
}

/* May @slot be written? Only while every other CPU stands still. */
static bool slot_alive(const struct bp_task *entry, const unsigned long *slot)
{
	unsigned long stack;

	if (!refcount_read((refcount_t *)&entry->task->stack_refcount))
		return false;	/* exited, its stack is freed or another task's */
	stack = (unsigned long)task_stack_page(entry->task);
	return (unsigned long)slot - stack < THREAD_SIZE;
}

/*
 * Puts the real return addresses back everywhere. The caller is stop_machine():
 * every task is off the CPUs or in a stopper, so no frame changes. A task that
 * was preempted between its ret and the handler has left its slot, which holds
 * something else then; its frame stays for the handler to find.
 */
void bp_frames_sweep(void)
{
	struct bp_frame *frame;
	unsigned int set, way;

	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			struct bp_task *entry = &bp_tasks[set][way];

			/* A reaped task's memory may be gone. */
			if (!entry->task || entry->reaped)
				continue;
			for (frame = entry->newest; frame; frame = frame->below) {
				if (slot_alive(entry, frame->slot) &&
				    *frame->slot == (unsigned long)bp_return_trampoline)
					*frame->slot = frame->caller;
			}
		}
	}
}

/* Calls in flight; exact while nothing is called. */
unsigned int bp_frames_live(void)
{
	unsigned int live = 0, set, way;
	struct bp_frame *frame;

	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			for (frame = READ_ONCE(bp_tasks[set][way].newest); frame && live < frames;
			     frame = READ_ONCE(frame->below))
				live++;
		}
	}
	return live;
}

unsigned int bp_frames_total(void)
{
	return frames;
}

int bp_frames_init(void)
{
	unsigned int i;
	int err;

	frames = clamp(frames, 64u, 1u << 20);
	bp_task_bits = max(ilog2(roundup_pow_of_two(frames)) - 2, 6);
	pool = vzalloc((size_t)frames * sizeof(*pool));
	pool_next = vzalloc((size_t)frames * sizeof(*pool_next));
	bp_tasks = vzalloc(sizeof(*bp_tasks) << bp_task_bits);
	err = -ENOMEM;
	if (!pool || !pool_next || !bp_tasks)
		goto free;
	atomic64_set(&pool_top, POOL_EMPTY);
	for (i = frames; i--;)
		bp_frame_spill(&pool[i]);

	for_each_kernel_tracepoint(pick_tracepoint, "sched_process_free");
	err = -ENOENT;
	if (!free_tracepoint)
		goto free;
	err = tracepoint_probe_register(free_tracepoint, task_freed, NULL);
	if (err)
		goto free;
	return 0;
free:
	vfree(bp_tasks);
	vfree(pool_next);
	vfree(pool);
	return err;
}

void bp_frames_exit(void)
{
	tracepoint_probe_unregister(free_tracepoint, task_freed, NULL);
	tracepoint_synchronize_unregister();
	vfree(bp_tasks);
	vfree(pool_next);
	vfree(pool);
}
