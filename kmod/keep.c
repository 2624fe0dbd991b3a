// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps the module loaded when no descriptor does: for calls that another
 * tracer will return to our trampoline (sweep.c).
 *
 * A module's exit cannot refuse, but a reference can: delete_module(2) fails
 * with EAGAIN, as it does while a descriptor is open. The reference is taken
 * when the last return probe is closed: there are no new frames from then on,
 * and the file still holds the module. Any later, the module could already be
 * unloading. It is not taken for all calls in flight, as tasks may sleep for
 * months in a function that was probed once; where possible, those get their
 * return addresses back instead.
 */
#include <linux/module.h>
#include <linux/workqueue.h>

#include "frame.h"

static void look_again(struct work_struct *work);
static DECLARE_DELAYED_WORK(keeper, look_again);

static bool kept;		/* our own reference; with bp_mutex held */
static unsigned long delay;	/* until the next sweep, which stops all CPUs */

void bp_keep_settle(void)
{
	struct bp_left left = {};

	/* Usually there are none: then do not stop the machine. */
	if (bp_frames_live())
		left = bp_sweep();
	if (!kept && left.held) {
		__module_get(THIS_MODULE);
		kept = true;
		delay = HZ / 20;
		pr_info("bprobe: in use until %u calls have returned whose return address another tracer took over\n",
			left.held);
	} else if (kept && !left.held && !left.unsure) {
		kept = false;
		/* An unload from here on waits for this work in bp_keep_exit(). */
		module_put(THIS_MODULE);
	}
	if (kept)
		schedule_delayed_work(&keeper, delay);
}

static void look_again(struct work_struct *work)
{
	mutex_lock(&bp_mutex);
	delay = min(delay * 2, 2ul * HZ);
	/* Open return probes hold the module themselves; closing the last one settles again. */
	if (!bp_return_groups)
		bp_keep_settle();
	mutex_unlock(&bp_mutex);
}

/*
 * The module is being unloaded. As far as we know no other tracer holds a
 * frame, but tasks that were about to run had to be left alone. They run, or
 * sleep, soon; those that do neither hold up synchronize_rcu_tasks(), and with
 * it the kernel's tracers, too. If a tracer was taking over a return address
 * in that moment, we wait until that call returns. After a forced unload we
 * also wait for the calls that the reference was for.
 */
void bp_keep_exit(void)
{
	/*
	 * The last sweep finds no frame. Idle tasks are out of the trampoline
	 * then, too, as all CPUs have scheduled.
	 */
	unsigned long since = jiffies, pause = 1;
	struct bp_left left;
	bool said = false;

	cancel_delayed_work_sync(&keeper);
	while (left = bp_sweep(), left.held || left.unsure) {
		if (!said && time_after(jiffies, since + 5 * HZ)) {
			pr_info("bprobe: unloading waits for %u calls to return\n", left.held + left.unsure);
			said = true;
		}
		schedule_timeout_idle(pause);
		pause = min(pause * 2, 1ul * HZ);
	}
}
