// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches and detaches groups of probes, each group in one step, and reports
 * what their probes have counted.
 */
#include <linux/module.h>
#include <linux/seq_file.h>

#include "frame.h"

DEFINE_MUTEX(bp_mutex);
static LIST_HEAD(all_groups);

/* Groups of return probes. While there are none, calls in flight only become fewer. */
unsigned int bp_return_groups;

/*
 * Counts attaches. A call in flight remembers the count at its entry, and at
 * its return runs no program that was attached later: its frame may lack what
 * that program reads. So it counts up after the probes are published, and
 * enter() reads it before it reads them.
 */
u64 bp_generation;

/*
 * The order matters: everything that can fail comes first, and a hook whose
 * site has no probes yet does nothing. So an attach that fails has run no
 * program.
 */
int bp_attach(struct bp_group *group, unsigned int *failed)
{
	struct bp_probe *probe;
	LIST_HEAD(together);
	int err;

	list_add(&group->together, &together);
	mutex_lock(&bp_mutex);
	err = bp_probes_with(group);
	if (err)
		goto unlock;
	err = bp_hook(group, failed);
	if (err) {
		bp_probes_drop(group);
		goto unlock;
	}
	bp_for_each_probe(probe, group) {
		probe->generation = bp_generation + 1;
		probe->kprobe_missed = bp_site_kprobe_missed(probe->site);
		probe->without_rcu = atomic64_read(&probe->site->without_rcu);
	}
	bp_probes_publish(&together);
	/* Pairs with enter(): a CPU that reads the new count finds the new probes. */
	smp_store_release(&bp_generation, bp_generation + 1);
	list_add_tail(&group->all, &all_groups);
	if (group->point == BPROBE_RETURN)
		bp_return_groups++;
unlock:
	mutex_unlock(&bp_mutex);
	return err;
}

/*
 * Call with bp_mutex held. The order matters. First, new handlers no longer
 * find the probes. Then bp_probes_publish() waits for all handlers that have
 * found them. Only then can the programs and probes be freed. The hooks are
 * removed, but the sites stay: a frame in flight needs the site, not the hook.
 */
void bp_detach(struct list_head *groups)
{
	unsigned int returns = bp_return_groups;
	struct bp_group *group;

	bp_probes_without(groups);
	bp_probes_publish(groups);
	bp_unhook_unused(groups);
	list_for_each_entry(group, groups, together) {
		list_del(&group->all);
		if (group->point == BPROBE_RETURN)
			bp_return_groups--;
		group->detached = true;
	}
	if (returns && !bp_return_groups)
		bp_keep_settle();
}

void bp_probe_counts(struct bp_probe *probe, struct bp_counts *sum)
{
	int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct bp_counts *counts = per_cpu_ptr(probe->counts, cpu);

		sum->hits += READ_ONCE(counts->hits);
		for (i = 0; i < BPROBE_MISS_MAX; i++)
			sum->misses[i] += READ_ONCE(counts->misses[i]);
	}
	/* These are counted per site, where the probes cannot be reached. */
	sum->misses[BPROBE_MISS_NO_RCU] += atomic64_read(&probe->site->without_rcu) - probe->without_rcu;
	if (probe->site->hook == BPROBE_HOOK_KPROBE)
		sum->misses[BPROBE_MISS_KPROBE] +=
			max_t(s64, bp_site_kprobe_missed(probe->site) - probe->kprobe_missed, 0);
}

static void show(struct seq_file *m, struct bp_probe *probe)
{
	const struct bp_group *group = probe->group;
	struct bp_counts sum;
	u64 misses = 0;
	int i;

	bp_probe_counts(probe, &sum);
	for (i = 0; i < BPROBE_MISS_MAX; i++)
		misses += sum.misses[i];
	seq_printf(m, "%-6s %016lx %u %s %llu %llu %d %s\n", bp_point_name(group),
		   probe->site->address, group->prog_id, probe->site->hook == BPROBE_HOOK_FTRACE ? "ftrace" : "kprobe",
		   sum.hits, misses, group->pid, probe->site->name);
}

void bp_probes_show(struct seq_file *m)
{
	struct bp_group *group;
	struct bp_probe *probe;

	seq_printf(m, "frames %u of %u\n", bp_frames_live(), bp_frames_total());
	seq_puts(m, "point  address          prog hook   hits misses pid symbol\n");
	mutex_lock(&bp_mutex);
	list_for_each_entry(group, &all_groups, all) {
		/* It is called again with a larger buffer. */
		if (seq_has_overflowed(m))
			break;
		bp_for_each_probe(probe, group)
			show(m, probe);
		cond_resched();
	}
	mutex_unlock(&bp_mutex);
}
