// SPDX-License-Identifier: GPL-2.0
/*
 * Probes: their place in the sites, their counts, their end.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "frame.h"

DEFINE_MUTEX(bp_mutex);
static LIST_HEAD(all_probes);

/* While there are none, calls in flight only become fewer. */
unsigned int bp_return_probes;

/*
 * Counts attaches. A call in flight remembers the count at its entry, and at
 * its return runs no program that was attached later.
 */
u64 bp_generation;

static bool calls_helpers(const struct bpf_prog *prog)
{
	u32 i;

	for (i = 0; i < prog->len; i++) {
		if (prog->insnsi[i].code == (BPF_JMP | BPF_CALL))
			return true;
	}
	return false;
}

/* Puts @with into, or takes @without out of, the probes of one point. */
static int replace_probes(struct bp_site *site, u32 point, struct bp_probe *with,
			  const struct bp_probe *without)
{
	struct bp_probes *old = rcu_dereference_protected(site->probes[point], lockdep_is_held(&bp_mutex));
	unsigned int count = (old ? old->count : 0) + (with ? 1 : -1), i, n = 0;
	struct bp_probes *new = NULL;

	if (count) {
		/* A close cannot fail, so it waits for memory. */
		new = kzalloc(sizeof(*new) + count * sizeof(new->probe[0]),
			      GFP_KERNEL | (without ? __GFP_NOFAIL : 0));
		if (!new)
			return -ENOMEM;
		/* Return programs run newest first, as nested calls end. */
		if (with && point == BPROBE_RETURN)
			new->probe[n++] = with;
		for (i = 0; old && i < old->count; i++) {
			if (old->probe[i] != without)
				new->probe[n++] = old->probe[i];
		}
		if (with && point == BPROBE_ENTRY)
			new->probe[n++] = with;
		new->count = n;
		for (i = 0; i < n; i++)
			new->calls_helpers |= calls_helpers(new->probe[i]->prog);
	}
	rcu_assign_pointer(site->probes[point], new);
	if (old) {
		/* Handlers that still run the old array must end before it goes. */
		bp_synchronize_handlers();
		kfree(old);
	}
	return 0;
}

/*
 * The order matters. First no handler finds the probe any more, then all that
 * have found it are waited for (in replace_probes()), and only then do the
 * program and the probe go. The hook goes last of all the site's: a frame in
 * flight needs the site, not the hook.
 */
void bp_probe_detach(struct bp_probe *probe)
{
	mutex_lock(&bp_mutex);
	list_del(&probe->all);
	replace_probes(probe->site, probe->point, NULL, probe);
	if (bp_site_unused(probe->site))
		bp_site_unhook(probe->site);
	if (probe->point == BPROBE_RETURN && !--bp_return_probes)
		bp_keep_settle();
	mutex_unlock(&bp_mutex);

	bpf_prog_put(probe->prog);
	module_put(probe->owner);
	free_percpu(probe->counts);
	kfree(probe);
}

int bp_probe_attach(struct bp_probe *probe, unsigned long address, const char *name)
{
	struct bp_site *site;
	bool unhooked;
	int err;

	mutex_lock(&bp_mutex);
	err = -ENOMEM;
	site = bp_site_get(address, name);
	if (!site)
		goto unlock;
	probe->site = site;
	unhooked = bp_site_unused(site);
	probe->generation = bp_generation + 1;
	WRITE_ONCE(bp_generation, probe->generation);
	err = replace_probes(site, probe->point, probe, NULL);
	if (err)
		goto unlock;
	if (unhooked) {
		err = bp_site_hook(site);
		if (err) {
			replace_probes(site, probe->point, NULL, probe);
			goto unlock;
		}
	}
	probe->kprobe_missed = bp_site_kprobe_missed(site);
	probe->without_rcu = atomic64_read(&site->without_rcu);
	list_add_tail(&probe->all, &all_probes);
	if (probe->point == BPROBE_RETURN)
		bp_return_probes++;
unlock:
	mutex_unlock(&bp_mutex);
	return err;
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
	/* These are counted where the probes of the site are not at hand. */
	sum->misses[BPROBE_MISS_NO_RCU] += atomic64_read(&probe->site->without_rcu) - probe->without_rcu;
	if (probe->site->hook == BPROBE_HOOK_KPROBE)
		sum->misses[BPROBE_MISS_KPROBE] +=
			max_t(s64, bp_site_kprobe_missed(probe->site) - probe->kprobe_missed, 0);
}

void bp_probes_show(struct seq_file *m)
{
	struct bp_probe *probe;
	struct bp_counts sum;
	u64 misses;
	int i;

	seq_printf(m, "frames %u of %u\n", bp_frames_live(), bp_frames_total());
	seq_puts(m, "point  address          prog hook   hits misses pid symbol\n");
	mutex_lock(&bp_mutex);
	list_for_each_entry(probe, &all_probes, all) {
		bp_probe_counts(probe, &sum);
		for (misses = 0, i = 0; i < BPROBE_MISS_MAX; i++)
			misses += sum.misses[i];
		seq_printf(m, "%-6s %016lx %u %s %llu %llu %d %s\n",
			   probe->point == BPROBE_ENTRY ? "entry" : "return", probe->site->address,
			   probe->prog_id, probe->site->hook == BPROBE_HOOK_FTRACE ? "ftrace" : "kprobe",
			   sum.hits, misses, probe->pid, probe->site->name);
	}
	mutex_unlock(&bp_mutex);
}
