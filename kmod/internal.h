/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Terms of bprobe:
 *
 * site   - one function with a hook in it. Sites live as long as the module,
 *          so handlers and frames use them without a reference.
 * probe  - one program at one point of one site.
 * group  - the probes that were attached together: one descriptor.
 * probes - the probes of one point of a site, in the order they run. Replaced
 *          as a whole, freed after every handler that may have read it ended.
 * frame  - one call in flight whose return address was replaced.
 *
 * Locks. bp_mutex (probe.c) is held to attach, detach, list and settle. It is
 * the outermost lock: ftrace_lock, kprobe_mutex, text_mutex and the CPU hotplug
 * lock of stop_machine() are taken inside it. Handlers take no lock: they run
 * with interrupts off and bp_cpu.busy set, read what RCU protects, and change
 * only data of their CPU or their task.
 *
 * Lifetimes. The order of the steps keeps handlers away from freed memory:
 *
 * group  - built completely. Then its sites are hooked, unless they are already.
 *          When nothing can fail any more, its probes are added to the arrays
 *          of the sites. At the end the probes are taken out, every handler
 *          that may have seen one is waited for, sites without probes lose
 *          their hooks, and then the references on program and modules are
 *          dropped and the memory is freed. Each step is done for all probes of
 *          all groups that end together (close.c).
 * frame  - from an entry until the return, or until the task is dead, or until
 *          a sweep gave the return address back (sweep.c).
 * module - held by every descriptor, by a group until it is detached, and by
 *          itself while another tracer will return a call to us (keep.c). Its
 *          exit removes the device, the hooks and the frames, waits for tasks
 *          inside the trampoline, and then frees everything.
 */
#ifndef BPROBE_INTERNAL_H
#define BPROBE_INTERNAL_H

#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "bprobe.h"
#include "compat.h"

struct bpf_prog;
struct module;
struct ftrace_ops;
struct seq_file;

struct bp_counts {
	u64 hits;
	u64 misses[BPROBE_MISS_MAX];
};

struct bp_group;

struct bp_probe {
	struct bp_site *site;
	struct bpf_prog *prog;		/* the group's */
	struct bp_counts __percpu *counts;
	u64 cookie;
	u64 generation;			/* frames older than this do not run it */
	bool not_in_interrupt;
	struct bp_group *group;
	struct module *owner;		/* holds the function, NULL for vmlinux */
	s64 kprobe_missed;		/* site's count when it was attached */
	u64 without_rcu;		/* likewise */
};

struct bp_group {
	struct list_head all;		/* of all groups, oldest first */
	struct list_head together;	/* groups attached or detached in one step */
	struct callback_head closing;	/* task work of the task that closed it */
	bool detached;
	bool leaving;			/* while it is being detached */
	bool reads;		/* its program may read registers */
	bool looks;		/* or even ext, or walk the stack */
	struct bpf_prog *prog;
	u32 prog_id;
	u32 point;
	pid_t pid;
	unsigned int count;
	struct bp_probe probe[];
};

static inline const char *bp_point_name(const struct bp_group *group)
{
	return group->point == BPROBE_ENTRY ? "entry" : "return";
}

#define bp_for_each_probe(probe, group) \
	for ((probe) = (group)->probe; (probe) < (group)->probe + (group)->count; (probe)++)

struct bp_probes {
	bool reads;		/* one of the programs may read registers */
	bool looks;		/* or even ext, or walk the stack */
	unsigned int count;
	struct bp_probe *probe[];
};

/* The next probes of a point of a site; once published, the previous ones (probes.c). */
struct bp_change {
	struct bp_probes *probes;
	unsigned int count;		/* probes to add */
	bool made;
};

struct bp_site {
	struct hlist_node by_ip;
	struct hlist_node by_address;
	unsigned long address;		/* of the function */
	unsigned long ip;		/* as the ftrace callback gets it */
	struct bp_probes __rcu *probes[2];	/* by enum bprobe_point */
	u32 hook;			/* enum bprobe_hook */
	bool hooked;
	struct bp_change change[2];
	atomic64_t without_rcu;		/* hits without RCU, where no array could be read */
	struct kprobe kprobe;
	atomic64_t faults;		/* counted in kprobe.nmissed, but no misses */
	char name[BPROBE_NAME_LEN];
};

/* The context of a program. */
struct bp_ctx {
	struct pt_regs regs;
	struct bprobe_ext ext;
};

struct bp_frame {
	struct bp_frame *below;		/* the call that was in flight before this one */
	unsigned long *slot;		/* where the return address was */
	unsigned long caller;		/* the return address */
	struct bp_site *site;
	u64 generation;			/* programs attached later are not run */
	bool chained;			/* a tail call: the frame below has the same slot */
	bool lifted;			/* slot holds the real address while programs run */
	struct bp_ctx ctx;
};

struct bp_cpu {
	const struct bp_site *busy;	/* the site whose handler runs on this CPU */
	unsigned int free_count;
	struct bp_frame *free;
	struct bp_ctx ctx;		/* for entry programs of calls without a frame */
};
DECLARE_PER_CPU(struct bp_cpu, bp_cpu);

extern u64 bp_generation;

/* stubs.S */
void bp_ftrace_stub(void);
int bp_kprobe_stub(struct kprobe *kprobe, struct pt_regs *regs);
void bp_return_trampoline(void);
unsigned long bp_call(const void *function, ...);

/* anchor.c */
void bprobe_anchor(void);

/* entry.c */
void bp_ftrace_entry(unsigned long ip, struct pt_regs *regs);
int bp_kprobe_entry(struct kprobe *kprobe, struct pt_regs *regs);

/* return.c */
void bp_return(struct pt_regs *regs);

/* run.c; handlers use run.h */
int bp_run_init(void);
void bp_run_exit(void);
void bp_count_misses(const struct bp_probes *probes, int reason, int at);

/* site.c: with bp_mutex held */
#define BP_SITE_BITS 14
extern struct hlist_head bp_sites_by_ip[1 << BP_SITE_BITS];
void bp_sites_free(void);
struct bp_site *bp_site_get(unsigned long address, const char *name);
void bp_site_put_at(struct bp_site *site, unsigned long ip);
bool bp_site_take_away(struct bp_site *site);
int bp_sites_each(int (*each)(void *data, unsigned long ip), void *data);
static inline bool bp_site_unused(const struct bp_site *site)
{
	return !rcu_access_pointer(site->probes[BPROBE_ENTRY]) &&
	       !rcu_access_pointer(site->probes[BPROBE_RETURN]);
}

/* hook.c: with bp_mutex held */
int bp_hooks_init(void);
void bp_hooks_exit(void);
s64 bp_site_kprobe_missed(const struct bp_site *site);
int bp_hook(struct bp_group *group, unsigned int *failed);
void bp_unhook_unused(struct list_head *groups);

/* filter.c: with bp_mutex held */
int bp_filter_init(void);
int bp_filter_add(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count);
void bp_filter_remove(struct ftrace_ops *ops, unsigned long *addresses, unsigned int count);

/* probes.c: with bp_mutex held */
int bp_probes_with(struct bp_group *group);
void bp_probes_without(struct list_head *groups);
void bp_probes_drop(struct bp_group *group);
void bp_probes_publish(struct list_head *groups);

/* resolve.c */
int bp_resolve_init(void);
const void *bp_resolve(const char *name);
bool bp_kprobe_blacklisted(unsigned long address);
bool bp_module_core_text(unsigned long address);
bool bp_module_label(unsigned long address);
unsigned long bp_ftrace_location(unsigned long address);
bool bp_is_return_hook(unsigned long address);
unsigned long bp_graph_caller(unsigned long caller, unsigned long *slot);
struct module *bp_module_get(unsigned long address, int *error);

/* symbols.c */
struct bp_wanted {
	const char *name;		/* NULL: not wanted */
	unsigned long address;
	unsigned int found;		/* how many functions bear the name; 2 stands for more */
};
int bp_symbols_init(void);
int bp_symbols_find(struct bp_wanted *wanted, unsigned int count);
int bp_function_name(unsigned long address, char name[BPROBE_NAME_LEN]);

/* function.c */
int bp_functions_init(void);
const char *bp_function_denied(unsigned long address, const char *name, bool *ask_for_original);

/* descriptor.c */
int bp_descriptor_open(struct bprobe_attach __user *arg);
int bp_descriptor_check(struct bprobe_check __user *arg);

/* request.c */
struct bp_group *bp_group_make(const struct bprobe_attach *request, unsigned int *failed);
void bp_group_free(struct bp_group *group);

/* close.c */
int bp_close_init(void);
void bp_close(struct bp_group *group);

/* keep.c: with bp_mutex held, and no return probe open */
void bp_keep_settle(void);
/* keep.c: call when no new frame can appear */
void bp_keep_exit(void);

/* probe.c */
extern struct mutex bp_mutex;
extern unsigned int bp_return_groups;
int bp_attach(struct bp_group *group, unsigned int *failed);
void bp_detach(struct list_head *groups);
void bp_probe_counts(struct bp_probe *probe, struct bp_counts *sum);
void bp_probes_show(struct seq_file *m);

#endif
