// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks in functions. A function with a __fentry__ site is hooked by the one
 * ftrace_ops that all probes share; any other by a kprobe.
 *
 * One ops for all, registered as long as the module is loaded: only while ours
 * is the sole ops of a function does its trampoline call the stub directly,
 * which r11 depends on; and unregistering an ops waits for all tasks, which a
 * close must not.
 */
#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/slab.h>

#include "internal.h"

#define SITE_BITS 10

static struct hlist_head by_ip[1 << SITE_BITS];
static struct hlist_head by_address[1 << SITE_BITS];

static struct ftrace_ops ops = {
	.func = (ftrace_func_t)bp_ftrace_stub,
	.flags = FTRACE_OPS_FL_SAVE_REGS | BP_FTRACE_DIRECT | BP_FTRACE_PERMANENT,
};

/* For the callback: no lock, sites are never freed while it can run. */
struct bp_site *bp_site_find(unsigned long ip)
{
	struct bp_site *site;

	hlist_for_each_entry_rcu_notrace(site, &by_ip[hash_long(ip, SITE_BITS)], by_ip) {
		if (site->ip == ip)
			return site;
	}
	return NULL;
}
NOKPROBE_SYMBOL(bp_site_find);

/*
 * The site of the function at @address. After a module was unloaded the same
 * address can be another function's: an unused site is set up anew.
 */
struct bp_site *bp_site_get(unsigned long address, const char *name)
{
	struct hlist_head *head = &by_address[hash_long(address, SITE_BITS)];
	struct bp_site *site;

	hlist_for_each_entry(site, head, by_address) {
		if (site->address == address) {
			strscpy(site->name, name, sizeof(site->name));
			return site;
		}
	}
	site = kzalloc(sizeof(*site), GFP_KERNEL);
	if (!site)
		return NULL;
	site->address = address;
	strscpy(site->name, name, sizeof(site->name));
	hlist_add_head(&site->by_address, head);
	return site;
}

/*
 * Its presence keeps the kernel from replacing the breakpoint by a jump. The
 * jump's handler runs with interrupts on and marks the CPU as busy with a
 * kprobe, so an interrupt that calls the function meanwhile is missed without
 * a word to us. A breakpoint is handled with interrupts off from end to end.
 */
static void stay_breakpoint(struct kprobe *kprobe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(stay_breakpoint);

#ifdef BP_KPROBE_FAULT_HANDLER
/*
 * These kernels count a kprobe as missed whenever its handler faults, which a
 * program's bpf_probe_read() of a bad address does. It is called right after
 * that count; 0 lets the kernel go on to the exception table.
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
 * kprobe's handler. Can go back a little: the kernel counts a fault before we
 * do, and its count is not atomic.
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
	/* What the kernel calls an invalid place is, at a function's start, a refusal. */
	return err == -EINVAL || err == -EILSEQ ? -EOPNOTSUPP : err;
}

int bp_site_hook(struct bp_site *site)
{
	unsigned long location = bp_ftrace_location(site->address);
	int err;

	if (location) {
		site->hook = BPROBE_HOOK_FTRACE;
		site->ip = location;
		hlist_add_head_rcu(&site->by_ip, &by_ip[hash_long(location, SITE_BITS)]);
		err = ftrace_set_filter_ip(&ops, site->address, 0, 0);
		if (!err)
			return 0;
		hlist_del_init_rcu(&site->by_ip);
		bp_synchronize_handlers();
		/* A breakpoint is for where there is no other way. */
		if (err == -ENOMEM)
			return err;
	}
	return hook_by_kprobe(site);
}

void bp_site_unhook(struct bp_site *site)
{
	if (site->hook == BPROBE_HOOK_KPROBE) {
		unregister_kprobe(&site->kprobe);
		return;
	}
	ftrace_set_filter_ip(&ops, site->address, 1, 0);
	hlist_del_init_rcu(&site->by_ip);
}

int bp_sites_init(void)
{
	int err = ftrace_set_filter_ip(&ops, (unsigned long)bprobe_anchor, 0, 0);

	return err ?: register_ftrace_function(&ops);
}

/* After it no handler of an entry runs. Frames in flight go on to use their sites. */
void bp_sites_unhook(void)
{
	/* The last user of by_ip: it waits for every callback that is under way. */
	unregister_ftrace_function(&ops);
#ifdef BP_FTRACE_FREE_FILTER_EXPORTED
	ftrace_free_filter(&ops);
#else
	/* An empty filter gives the old one back; the ops is not registered, so it traces nothing. */
	ftrace_set_filter(&ops, NULL, 0, 1);
#endif
}

void bp_sites_free(void)
{
	struct hlist_node *next;
	struct bp_site *site;
	int i;

	for (i = 0; i < ARRAY_SIZE(by_address); i++) {
		hlist_for_each_entry_safe(site, next, &by_address[i], by_address)
			kfree(site);
	}
}
