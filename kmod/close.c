// SPDX-License-Identifier: GPL-2.0
/*
 * Closing descriptors. A detach waits as long for one group as for a thousand,
 * so groups that are closed together are detached together. Otherwise a process
 * that exits with a thousand descriptors would hang for half a minute.
 *
 * The kernel releases the files of a task one after the other, as task work
 * that runs before the task returns to user space or is dead. Work that a
 * release queues runs after all of them. The work of the first group detaches
 * every group released up to then, by any task; the work of the others finds
 * that already done. So when a close has returned, or a task is dead, its
 * programs no longer run, as if each group had been detached at once.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>

#include "internal.h"

static LIST_HEAD(closed);		/* groups not yet detached */
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
	/* The module may be unloaded from here on: bprobe_exit() waits for tasks in this code. */
	module_put(THIS_MODULE);
}

void bp_close(struct bp_group *group)
{
	/* The file's reference on the module is dropped before the work runs. */
	__module_get(THIS_MODULE);
	spin_lock(&closed_lock);
	list_add_tail(&group->together, &closed);
	spin_unlock(&closed_lock);
	init_task_work(&group->closing, finish);
	/*
	 * Kernel threads do not return to user space, and an exiting task takes
	 * no more work (task_work_add() fails): detach here.
	 */
	if ((current->flags & PF_KTHREAD) || (int)bp_call(add_task_work, current, &group->closing, BP_TASK_WORK_RESUME))
		finish(&group->closing);
}

int bp_close_init(void)
{
	add_task_work = bp_resolve("task_work_add");
	return add_task_work ? 0 : -ENXIO;
}
