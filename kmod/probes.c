// SPDX-License-Identifier: GPL-2.0
/*
 * The probes of a point of a site: an array that handlers read without a lock,
 * so it is never changed. A new array replaces the old one, which is freed when
 * every handler that may run it has ended. This is done for all sites of an
 * attach or of many closes together, so that they wait once.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

static struct bp_probes *current_probes(const struct bp_site *site, u32 point)
{
	return rcu_dereference_protected(site->probes[point], lockdep_is_held(&bp_mutex));
}

/* A list may name a function thousands of times, so it need not be one piece of memory. */
static struct bp_probes *make(unsigned int count)
{
	struct bp_probes *probes = kvzalloc(sizeof(*probes) + count * sizeof(probes->probe[0]), GFP_KERNEL);

	if (probes)
		probes->count = count;
	return probes;
}

/*
 * Entry programs run in the order of attachment, return programs newest first,
 * as nested calls end.
 */
static int make_with(struct bp_site *site, const struct bp_group *group)
{
	const struct bp_probes *old = current_probes(site, group->point);
	struct bp_change *change = &site->change[group->point];
	unsigned int kept = old ? old->count : 0;

	change->probes = make(kept + change->count);
	if (!change->probes)
		return -ENOMEM;
	change->probes->reads = group->reads;
	change->probes->looks = group->looks;
	if (old) {
		memcpy(change->probes->probe + (group->point == BPROBE_RETURN ? change->count : 0), old->probe,
		       kept * sizeof(old->probe[0]));
		change->probes->reads |= old->reads;
		change->probes->looks |= old->looks;
	}
	change->made = true;
	return 0;
}

/* Builds the arrays of the sites of @group with its probes. On failure nothing is left of them. */
int bp_probes_with(struct bp_group *group)
{
	struct bp_change *change;
	struct bp_probe *probe;

	bp_for_each_probe(probe, group)
		probe->site->change[group->point].count++;
	bp_for_each_probe(probe, group) {
		change = &probe->site->change[group->point];
		if (!change->made && make_with(probe->site, group)) {
			bp_probes_drop(group);
			return -ENOMEM;
		}
		/* A function may be in the list more than once. */
		change->count--;
		if (group->point == BPROBE_RETURN)
			change->probes->probe[change->count] = probe;
		else
			change->probes->probe[change->probes->count - change->count - 1] = probe;
	}
	return 0;
}

void bp_probes_drop(struct bp_group *group)
{
	struct bp_change *change;
	struct bp_probe *probe;

	bp_for_each_probe(probe, group) {
		change = &probe->site->change[group->point];
		kvfree(change->probes);
		memset(change, 0, sizeof(*change));
	}
}

static void make_without(struct bp_site *site, u32 point)
{
	const struct bp_probes *old = current_probes(site, point);
	struct bp_change *change = &site->change[point];
	unsigned int i, kept = 0;

	change->made = true;
	for (i = 0; i < old->count; i++)
		kept += !old->probe[i]->group->leaving;
	if (!kept)
		return;
	/* A close cannot fail, so it waits for memory. */
	while (!(change->probes = make(kept)))
		schedule_timeout_uninterruptible(1);
	for (kept = 0, i = 0; i < old->count; i++) {
		if (old->probe[i]->group->leaving)
			continue;
		change->probes->probe[kept++] = old->probe[i];
		change->probes->reads |= old->probe[i]->group->reads;
		change->probes->looks |= old->probe[i]->group->looks;
	}
}

/* Builds the arrays of the sites of @groups without their probes. */
void bp_probes_without(struct list_head *groups)
{
	struct bp_group *group;
	struct bp_probe *probe;

	list_for_each_entry(group, groups, together)
		group->leaving = true;
	list_for_each_entry(group, groups, together) {
		bp_for_each_probe(probe, group) {
			if (!probe->site->change[group->point].made)
				make_without(probe->site, group->point);
		}
	}
}

/* Puts the new arrays in place, and frees the old ones. */
void bp_probes_publish(struct list_head *groups)
{
	struct bp_change *change;
	struct bp_group *group;
	struct bp_probe *probe;
	struct bp_probes *old;
	bool replaced = false;

	list_for_each_entry(group, groups, together) {
		bp_for_each_probe(probe, group) {
			change = &probe->site->change[group->point];
			if (!change->made)
				continue;
			old = current_probes(probe->site, group->point);
			rcu_assign_pointer(probe->site->probes[group->point], change->probes);
			*change = (struct bp_change){.probes = old};
			if (old)
				replaced = true;
		}
	}
	if (!replaced)
		return;
	/* Handlers may still run the old arrays. */
	bp_synchronize_handlers();
	list_for_each_entry(group, groups, together) {
		bp_for_each_probe(probe, group) {
			change = &probe->site->change[group->point];
			kvfree(change->probes);
			change->probes = NULL;
		}
	}
}
