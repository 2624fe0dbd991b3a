// SPDX-License-Identifier: GPL-2.0
/*
 * Calls in flight get their return addresses back, so that the module may go.
 *
 * A slot that holds our trampoline is ours to write, and then the call is done
 * with us. But whoever replaces the return address of a call after us (a
 * kretprobe, rethook, fprobe, the function graph tracer, another module) has
 * found our trampoline there, remembers it where only it knows, and returns to
 * it. Such a slot holds the other's trampoline, and nothing that is written
 * there changes where the call returns to: it comes to us, some day. So its
 * frame stays, and with it the module (keep.c). The other's memory is not
 * searched for our address: who they are and how they remember is theirs to
 * change, and one that we do not know would be missed.
 *
 * The other may also be caught between the two steps, having read the slot and
 * not yet written it. Nobody sleeps there. So what a slot holds is proof only
 * for a task that is asleep, or known to be elsewhere; any other task is about
 * to run, and is looked at again.
 */
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/stop_machine.h>

#include "handler.h"

struct sweep {
	const struct task_struct *caller;	/* who waits for this sweep */
	struct bp_left left;
};

/*
 * Every CPU is in its stopper now. So a task that is on a CPU is a stopper, or
 * the idle task of a CPU that is off; idle tasks give way to others only where
 * they choose to, as does @caller, which a stopper may have interrupted in
 * stop_machine(). All others must have gone to sleep: a task that was
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

/* Whether @frame has nothing more to do; else it is counted. */
static bool finish(struct sweep *sweep, const struct task_struct *task, struct bp_frame *frame)
{
	unsigned long found;

	if (!settled(task, sweep->caller)) {
		/* Names of others decide only whether an unload is refused or waits a moment. */
		if (on_stack(task, frame->slot) && bp_is_return_hook(READ_ONCE_NOCHECK(*frame->slot)))
			sweep->left.held++;
		else
			sweep->left.unsure++;
		return false;
	}
	/* Stacks of interrupts are empty. What lies below the stack pointer ended without a return. */
	if (!on_stack(task, frame->slot) || !in_use(task, frame->slot))
		return true;
	found = READ_ONCE_NOCHECK(*frame->slot);
	if (found == BP_TRAMPOLINE) {
		WRITE_ONCE(*frame->slot, frame->caller);
		return true;
	}
	/*
	 * Another's, or that of a call that ended without a return and whose
	 * word is in use again: in doubt it stays.
	 */
	sweep->left.held++;
	return false;
}

static void sweep_task(struct sweep *sweep, struct bp_task *entry)
{
	struct bp_frame **link = &entry->newest, *frame;
	bool finished = false, same_call = false;

	while ((frame = *link)) {
		/* Functions that share a slot by tail calls share its fate. */
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
			/* The stack of a dead task is freed or another's, and nothing returns on it. */
			if (bp_task_gone(entry->task))
				bp_task_forget(bp_tasks[set], entry->task);
			else
				sweep_task(sweep, entry);
		}
	}
	return 0;
}

/*
 * Nobody may push a frame any more: no return probe is open, and all handlers
 * that found one have ended. Frames that are done with are given back here,
 * which their tasks cannot notice: they are not inside our code.
 */
struct bp_left bp_sweep(void)
{
	struct sweep sweep = {.caller = current};

	stop_machine(sweep_all, &sweep, NULL);
	return sweep.left;
}
