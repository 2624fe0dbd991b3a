// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks functions: those with a __fentry__ site by one ftrace_ops that all
 * probes share, any other by a kprobe.
 *
 * There is one ops for all, and it stays registered as long as the module is
 * loaded. First, the ftrace trampoline calls our stub directly only while ours
 * is the sole ops of the function, and preserving r11 depends on that. Second,
 * unregistering an ops waits for all tasks, which a close must not do.
 */
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

static struct ftrace_ops ops = {
	.func = (ftrace_func_t)bp_ftrace_stub,
	.flags = FTRACE_OPS_FL_SAVE_REGS | BP_FTRACE_DIRECT | BP_FTRACE_PERMANENT,
};

/*
 * A post_handler keeps the kernel from replacing the breakpoint by a jump. The
 * handler of such a jump runs with interrupts on and marks the CPU as busy with
 * a kprobe, so a call of the function from an interrupt would be missed without
 * being counted for us. A breakpoint is handled with interrupts off throughout.
 */
static void stay_breakpoint(struct kprobe *kprobe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(stay_breakpoint);

#ifdef BP_KPROBE_FAULT_HANDLER
/*
 * These kernels count a kprobe as missed whenever its handler faults, which a
 * program's bpf_probe_read() of a bad address does. They call this right after
 * that count; returning 0 lets them go on to the exception table.
 */
static int count_fault(struct kprobe *kprobe, struct pt_regs *regs, int trap)
{
	atomic64_inc(&container_of(kprobe, struct bp_site, kprobe)->faults);
	return 0;
}
NOKPROBE_SYMBOL(count_fault);
#endif

/*
 * Hits of the breakpoint that the kernel could not handle: those inside another
 * kprobe's handler. The value can fall a little: the kernel counts a fault
 * before we do, and its count is not atomic.
 */
s64 bp_site_kprobe_missed(const struct bp_site *site)
{
	return (s64)READ_ONCE(site->kprobe.nmissed) - atomic64_read(&site->faults);
}

static int hook_by_kprobe(struct bp_site *site)
{
	int err;

	memset(&site->kprobe, 0, sizeof(site->kprobe));
	atomic64_set(&site->faults, 0);
#ifdef BP_KPROBE_FAULT_HANDLER
	site->kprobe.fault_handler = count_fault;
#endif
	site->kprobe.addr = (kprobe_opcode_t *)site->address;
	site->kprobe.pre_handler = bp_kprobe_stub;
	site->kprobe.post_handler = stay_breakpoint;
	site->hook = BPROBE_HOOK_KPROBE;
	err = register_kprobe(&site->kprobe);
	/* With all kprobes switched off in debugfs, it succeeds but sets no breakpoint. */
	if (!err && *(const u8 *)site->kprobe.addr != 0xcc) {
		unregister_kprobe(&site->kprobe);
		return -EBUSY;
	}
	/* At the start of a function, these errors mean that the kernel refuses it. */
	return err == -EINVAL || err == -EILSEQ ? -EOPNOTSUPP : err;
}

/* Buffers for a close, which must not depend on free memory. Protected by bp_mutex. */
#define FEW 32
static unsigned long few_addresses[FEW];
static struct kprobe *few_kprobes[FEW];

/* Marks unused sites as not hooked, and unregisters their kprobes. */
static void unhook_kprobes(struct list_head *groups)
{
	struct bp_group *group;
	struct bp_probe *probe;
	int n = 0;

	list_for_each_entry(group, groups, together) {
		bp_for_each_probe(probe, group) {
			struct bp_site *site = probe->site;

			if (!site->hooked || !bp_site_unused(site))
				continue;
			site->hooked = false;
			if (site->hook != BPROBE_HOOK_KPROBE)
				continue;
			few_kprobes[n++] = &site->kprobe;
			/* It waits once for all of them. */
			if (n == FEW) {
				unregister_kprobes(few_kprobes, n);
				n = 0;
			}
		}
	}
	if (n)
		unregister_kprobes(few_kprobes, n);
}

/* Removes the ftrace hooks. Call after unhook_kprobes(), which clears ->hooked. */
static void unhook_ftrace(struct list_head *groups, unsigned long *addresses, unsigned int room)
{
	struct bp_group *group;
	struct bp_probe *probe;
	unsigned int n = 0;

	list_for_each_entry(group, groups, together) {
		bp_for_each_probe(probe, group) {
			struct bp_site *site = probe->site;

			if (site->hooked || !bp_site_take_away(site))
				continue;
			addresses[n++] = site->address;
			if (n == room) {
				bp_filter_remove(&ops, addresses, n);
				n = 0;
			}
		}
	}
	if (n)
		bp_filter_remove(&ops, addresses, n);
}

/* Unhooks those sites of @groups that have no probes. */
void bp_unhook_unused(struct list_head *groups)
{
	unsigned long *addresses = NULL;
	unsigned int count = 0;
	struct bp_group *group;

	list_for_each_entry(group, groups, together)
		count += group->count;
	if (count > FEW)
		addresses = kvmalloc_array(count, sizeof(*addresses), GFP_KERNEL | __GFP_NOWARN);
	unhook_kprobes(groups);
	unhook_ftrace(groups, addresses ?: few_addresses, addresses ? count : FEW);
	kvfree(addresses);
}

/* Hooks one site. For ftrace the caller still has to change the filter. */
static int hook(struct bp_site *site)
{
	unsigned long location = bp_ftrace_location(site->address);
	int err = 0;

	if (location) {
		site->hook = BPROBE_HOOK_FTRACE;
		bp_site_put_at(site, location);
	} else {
		err = hook_by_kprobe(site);
	}
	site->hooked = !err;
	return err;
}

/* Hooks those sites of @group that are not hooked yet: all or none. They have no probes yet. */
int bp_hook(struct bp_group *group, unsigned int *failed)
{
	unsigned long *addresses = few_addresses;
	struct bp_probe *probe;
	LIST_HEAD(together);
	unsigned int n = 0;
	int err = 0;

	if (group->count > FEW)
		addresses = kvmalloc_array(group->count, sizeof(*addresses), GFP_KERNEL);
	if (!addresses)
		return -ENOMEM;
	bp_for_each_probe(probe, group) {
		if (probe->site->hooked)
			continue;
		err = hook(probe->site);
		if (err) {
			*failed = probe - group->probe;
			break;
		}
		if (probe->site->hook == BPROBE_HOOK_FTRACE)
			addresses[n++] = probe->site->address;
		cond_resched();
	}
	if (!err && n)
		err = bp_filter_add(&ops, addresses, n);
	if (err) {
		list_add(&group->together, &together);
		unhook_kprobes(&together);
		/* The filter is unchanged, so only undo bp_site_put_at(). */
		bp_for_each_probe(probe, group) {
			if (!probe->site->hooked)
				bp_site_take_away(probe->site);
		}
	}
	if (addresses != few_addresses)
		kvfree(addresses);
	return err;
}

#ifndef BP_FTRACE_FREE_FILTER_EXPORTED
static const void *free_filter;
#define ftrace_free_filter(ops) bp_call(free_filter, ops)
#endif

int bp_hooks_init(void)
{
	int err = bp_filter_init();

	if (err)
		return err;
#ifndef BP_FTRACE_FREE_FILTER_EXPORTED
	/* Setting an empty filter frees the old one as well, but may have no memory for that. */
	free_filter = bp_resolve("ftrace_free_filter");
	if (!free_filter)
		return -ENXIO;
#endif
	err = ftrace_set_filter_ip(&ops, (unsigned long)bprobe_anchor, 0, 0);
	err = err ?: register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	return err;
}

/* After this no entry handler runs. Frames in flight still use their sites. */
void bp_hooks_exit(void)
{
	/*
	 * Waits for every running callback, the last users of by_ip. After ftrace has
	 * shut itself off it fails, and other tracers go on to read the ops: then
	 * there is no way out.
	 */
	while (unregister_ftrace_function(&ops)) {
		pr_warn_once("bprobe: ftrace does not let go of the module; unloading waits for ever\n");
		schedule_timeout_idle(HZ);
	}
	ftrace_free_filter(&ops);
}
