// SPDX-License-Identifier: GPL-2.0
/*
 * Gives calls in flight their return addresses back, so that the module can be
 * unloaded.
 *
 * If a slot holds our trampoline, we write the return address back, and the
 * call is done with us. But another tracer (a kretprobe, rethook, fprobe, the
 * function graph tracer, another module) may have replaced the return address
 * after us. It found our trampoline in the slot, remembers it in memory of its
 * own, and will return to it. Such a slot holds that tracer's trampoline, and
 * nothing written there changes where the call returns to: our code, some day.
 * So its frame stays, and with it the module (keep.c). The memory of that
 * tracer is not searched for our address: tracers and their data change, and
 * one that we do not know would be missed.
 *
 * The other tracer may also be between its two steps: it has read the slot and
 * not yet written it. It does not sleep there. So the content of a slot is
 * proof only for a task that is asleep or known to be elsewhere. Any other task
 * is about to run, and is looked at again.
 */
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/stop_machine.h>

#include "handler.h"

struct sweep {
	const struct task_struct *caller;	/* the task that waits for this sweep */
	struct bp_left left;
};

/*
 * Every CPU is in its stopper now. So a task that is on a CPU is a stopper, or
 * the idle task of an offline CPU. Idle tasks leave the CPU only where they
 * choose to. So does @caller, which a stopper may have interrupted in
 * stop_machine(). Every other task must have gone to sleep: a task that was
 * preempted is still on a run queue.
 */
static bool settled(const struct task_struct *task, const struct task_struct *caller)
{
	return task->on_cpu || !task->pid || task == caller || bp_task_asleep(task);
}

static bool on_stack(const struct task_struct *task, const unsigned long *slot)
{
	return (unsigned long)slot - (unsigned long)task_stack_page(task) < THREAD_SIZE;
}

/* Is the word at @slot above the stack pointer that @task left behind? */
static bool in_use(const struct task_struct *task, const unsigned long *slot)
{
	return task->on_cpu || (unsigned long)slot >= task->thread.sp;
}

/* True if @frame is done. Otherwise counts it in @sweep. */
static bool finish(struct sweep *sweep, const struct task_struct *task, struct bp_frame *frame)
{
	unsigned long found;

	if (!settled(task, sweep->caller)) {
		/*
		 * The known trampolines only decide whether an unload is
		 * refused or waits a moment.
		 */
		if (on_stack(task, frame->slot) && bp_is_return_hook(READ_ONCE_NOCHECK(*frame->slot)))
			sweep->left.held++;
		else
			sweep->left.unsure++;
		return false;
	}
	/*
	 * No interrupt runs, so interrupt stacks are empty. A call whose slot
	 * is below the stack pointer ended without a return.
	 */
	if (!on_stack(task, frame->slot) || !in_use(task, frame->slot))
		return true;
	found = READ_ONCE_NOCHECK(*frame->slot);
	if (found == BP_TRAMPOLINE) {
		WRITE_ONCE(*frame->slot, frame->caller);
		return true;
	}
	/*
	 * Either another tracer's trampoline, or the call ended without a
	 * return and the word is in use again. In doubt the frame stays.
	 */
	sweep->left.held++;
	return false;
}

static void sweep_task(struct sweep *sweep, struct bp_task *entry)
{
	struct bp_frame **link = &entry->newest, *frame;
	bool finished = false, same_call = false;

	while ((frame = *link)) {
		/* Tail calls share a slot, so the result for one is that for all. */
		if (!same_call)
			finished = finish(sweep, entry->task, frame);
		else if (!finished)
			sweep->left.held++;
		same_call = frame->chained;
		if (finished) {
			*link = frame->below;
			bp_frame_spill(frame);
		} else {
			link = &frame->below;
		}
	}
	if (!entry->newest)
		bp_task_release(entry);
}

static int sweep_all(void *data)
{
	struct sweep *sweep = data;
	unsigned int set, way;

	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			struct bp_task *entry = &bp_tasks[set][way];

			if (!entry->task)
				continue;
			/* A dead task's stack is freed or reused, and nothing returns on it. */
			if (bp_task_gone(entry->task))
				bp_task_forget(bp_tasks[set], entry->task);
			else
				sweep_task(sweep, entry);
		}
	}
	return 0;
}

/*
 * Call only when no new frame can appear: no return probe is open, and all
 * handlers that found one have ended. This frees the frames that are done.
 * Their tasks cannot notice: they are not inside our code.
 */
struct bp_left bp_sweep(void)
{
	struct sweep sweep = {.caller = current};

	stop_machine(sweep_all, &sweep, NULL);
	return sweep.left;
}
