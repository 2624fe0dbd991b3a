// SPDX-License-Identifier: GPL-2.0
/*
 * The calls in flight of each task, and their end when the task dies or the
 * module is unloaded.
 */
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "frame.h"

struct bp_task (*bp_tasks)[BP_WAYS];
unsigned int bp_task_bits;

static struct tracepoint *free_tracepoint;

/*
 * Held, with interrupts off, to free the frames of a dead task. The task is not
 * freed meanwhile, as task_freed() waits for it, and no sweep runs, as that stops
 * all CPUs.
 */
static DEFINE_RAW_SPINLOCK(forget_lock);

static void bury(struct work_struct *work);
static DECLARE_DELAYED_WORK(burial, bury);

static void call_bury(struct irq_work *work)
{
	schedule_delayed_work(&burial, 1);
}

/* Handlers must not take locks: queueing work does, queueing irq_work does not. */
static struct irq_work call_burial;

/* Holds @task until it is dead, and reserves @entry for it until then. */
static bool hold(struct bp_task *entry, struct task_struct *task)
{
	get_task_struct(task);
	if (!cmpxchg(&entry->dying, NULL, task))
		return true;
	put_task_struct(task);	/* not the last one: it runs, or is just being freed */
	return false;
}
NOKPROBE_SYMBOL(hold);

/*
 * For a task whose sched_process_free may be over: without bury() nothing would
 * free the frames it gets now.
 */
static struct bp_task *claim_dying(struct bp_task *set, struct task_struct *task)
{
	int way;

	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].dying) != task || READ_ONCE(set[way].task))
			continue;
		WRITE_ONCE(set[way].task, task);
		return &set[way];
	}
	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) || READ_ONCE(set[way].dying) ||
		    cmpxchg(&set[way].task, NULL, task))
			continue;
		if (hold(&set[way], task))
			irq_work_queue(&call_burial);
		return &set[way];
	}
	return NULL;
}
NOKPROBE_SYMBOL(claim_dying);

struct bp_task *bp_task_claim_any(struct bp_task *set, struct task_struct *task)
{
	int way;

	if (BP_FREED_WHILE_RUNNING && unlikely(task->exit_state))
		return claim_dying(set, task);
	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) || READ_ONCE(set[way].dying))
			continue;
		if (!cmpxchg(&set[way].task, NULL, task))
			return &set[way];
	}
	return NULL;
}
NOKPROBE_SYMBOL(bp_task_claim_any);

bool bp_task_gone(const struct task_struct *task)
{
	return bp_task_is_dead(task) && !READ_ONCE(task->on_cpu);
}

static void forget(struct bp_task *entry)
{
	struct bp_frame *frame = entry->newest, *below;

	entry->newest = NULL;
	for (; frame; frame = below) {
		below = frame->below;
		bp_frame_spill(frame);
	}
	bp_task_release(entry);
}

/* Frees all frames of a dead task: its calls will never return. */
void bp_task_forget(struct bp_task *set, const struct task_struct *task)
{
	unsigned long flags;
	int way;

	raw_spin_lock_irqsave(&forget_lock, flags);
	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) == task)
			forget(&set[way]);
	}
	raw_spin_unlock_irqrestore(&forget_lock, flags);
}

/*
 * Frees the frames of a task that is dead, but that its parent has not waited
 * for. Each such task keeps some while the functions that end a task have return
 * probes, and a user can have more such tasks than there are frames.
 */
static void forget_zombie(struct bp_task *entry)
{
	const struct task_struct *task;
	unsigned long flags;

	if (!READ_ONCE(entry->task))
		return;
	raw_spin_lock_irqsave(&forget_lock, flags);
	/* The task may give its entry back and end: RCU keeps it until we have looked. */
	rcu_read_lock();
	task = READ_ONCE(entry->task);
	if (task && bp_task_gone(task)) {
		/* And another may have taken the entry. If not, nobody does any more. */
		smp_rmb();
		if (READ_ONCE(entry->task) == task)
			forget(entry);
	}
	rcu_read_unlock();
	raw_spin_unlock_irqrestore(&forget_lock, flags);
}

/* There is no frame left. */
void bp_frames_short(void)
{
	/* Only once for many calls: it costs an interrupt. */
	if (!delayed_work_pending(&burial))
		irq_work_queue(&call_burial);
}
NOKPROBE_SYMBOL(bp_frames_short);

/* Frees the frames of zombies, and of tasks that were not dead yet at sched_process_free. */
static void bury(struct work_struct *work)
{
	bool again = false;
	unsigned int set, way;

	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			struct task_struct *task = READ_ONCE(bp_tasks[set][way].dying);

			if (!task) {
				forget_zombie(&bp_tasks[set][way]);
				continue;
			}
			if (!bp_task_gone(task)) {
				again = true;
				continue;
			}
			bp_task_forget(bp_tasks[set], task);
			WRITE_ONCE(bp_tasks[set][way].dying, NULL);
			put_task_struct(task);
		}
	}
	if (again)
		schedule_delayed_work(&burial, 1);
}

/*
 * The tracepoint sched_process_free: the last event of @task before another
 * task can use its memory. The exit event is too early: do_exit() goes on
 * calling functions. Before 5.4 even this event comes while the task may still
 * run the end of do_exit(), and call functions and return there. Such a task is
 * held until it is dead. Otherwise a new task at the same address would find
 * frames that are not its own.
 */
static void task_freed(void *data, struct task_struct *task)
{
	struct bp_task *set = bp_task_set(task);
	int way;

	/* What bury() has been given, it frees itself: both at once would free frames twice. */
	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].dying) == task)
			return;
	}
	for (way = 0; way < BP_WAYS; way++) {
		if (READ_ONCE(set[way].task) != task)
			continue;
		if (bp_task_gone(task))
			bp_task_forget(set, task);
		else if (hold(&set[way], task))
			schedule_delayed_work(&burial, 1);
		return;
	}
}

static void pick_tracepoint(struct tracepoint *tracepoint, void *name)
{
	if (!strcmp(tracepoint->name, name))
		free_tracepoint = tracepoint;
}

/* Calls in flight; exact only while nothing is called. */
unsigned int bp_frames_live(void)
{
	unsigned int total = bp_frames_total(), live = 0, set, way;
	struct bp_frame *frame;

	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			for (frame = READ_ONCE(bp_tasks[set][way].newest); frame && live < total;
			     frame = READ_ONCE(frame->below))
				live++;
		}
	}
	return live;
}

int bp_tasks_init(void)
{
	int err;

	bp_task_bits = max(ilog2(roundup_pow_of_two(bp_frames_total())) - 2, 6);
	bp_tasks = vzalloc(sizeof(*bp_tasks) << bp_task_bits);
	if (!bp_tasks)
		return -ENOMEM;
	init_irq_work(&call_burial, call_bury);
	for_each_kernel_tracepoint(pick_tracepoint, "sched_process_free");
	err = free_tracepoint ? tracepoint_probe_register(free_tracepoint, task_freed, NULL) : -ENOENT;
	if (err)
		vfree(bp_tasks);
	return err;
}

void bp_tasks_exit(void)
{
	unsigned int set, way;

	/*
	 * Before 5.11, to leave a tracepoint that has other probes takes memory. If
	 * task_freed() stayed without it, tasks would call code that is gone.
	 */
	while (tracepoint_probe_unregister(free_tracepoint, task_freed, NULL) == -ENOMEM)
		schedule_timeout_uninterruptible(1);
	tracepoint_synchronize_unregister();
	irq_work_sync(&call_burial);
	cancel_delayed_work_sync(&burial);
	for (set = 0; set < 1u << bp_task_bits; set++) {
		for (way = 0; way < BP_WAYS; way++) {
			if (bp_tasks[set][way].dying)
				put_task_struct(bp_tasks[set][way].dying);
		}
	}
	vfree(bp_tasks);
}
