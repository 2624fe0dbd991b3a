// SPDX-License-Identifier: GPL-2.0
/*
 * The end of descriptors. What a detach waits for takes as long for one group as
 * for a thousand, so those that are closed together wait together: a process
 * that ends with a thousand descriptors would hang for half a minute else.
 *
 * The kernel releases the files of a task one after the other, before the task
 * sees user space again or is dead; and after all of them what was meanwhile
 * added to the same list of work. There the first group detaches all that were
 * released up to then, by whichever task, and the others find that it is done.
 * So a close returns, and a task is dead, when its programs run no more, as if
 * each had been detached at once.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>

#include "internal.h"

static LIST_HEAD(closed);		/* and not yet detached */
static DEFINE_SPINLOCK(closed_lock);
static const void *add_task_work;

static void finish(struct callback_head *work)
{
	struct bp_group *group = container_of(work, struct bp_group, closing);
	LIST_HEAD(groups);

	mutex_lock(&bp_mutex);
	if (!group->detached) {
		spin_lock(&closed_lock);
		list_splice_init(&closed, &groups);
		spin_unlock(&closed_lock);
		bp_detach(&groups);
	}
	mutex_unlock(&bp_mutex);
	bp_group_free(group);
	/* An unload that this lets happen waits for tasks that are in our code: see bprobe_exit(). */
	module_put(THIS_MODULE);
}

void bp_close(struct bp_group *group)
{
	/* The file's reference goes before the work is done. */
	__module_get(THIS_MODULE);
	spin_lock(&closed_lock);
	list_add_tail(&group->together, &closed);
	spin_unlock(&closed_lock);
	init_task_work(&group->closing, finish);
	/* Kernel threads have no user space to go to, and a task at its very end takes no work (then: not 0). */
	if ((current->flags & PF_KTHREAD) || (int)bp_call(add_task_work, current, &group->closing, BP_TASK_WORK_RESUME))
		finish(&group->closing);
}

int bp_close_init(void)
{
	add_task_work = bp_resolve("task_work_add");
	return add_task_work ? 0 : -ENXIO;
}
