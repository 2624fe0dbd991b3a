// SPDX-License-Identifier: GPL-2.0
/*
 * Entry of a probed function: runs its entry programs and, if it has return
 * probes, replaces its return address.
 */
#include <linux/sched/task_stack.h>

#include "handler.h"
#include "run.h"

/* The site that ftrace calls for. Needs no lock: sites are not freed while it can do so. */
static __always_inline struct bp_site *find_site(unsigned long ip)
{
	struct bp_site *site;

	hlist_for_each_entry_rcu_notrace(site, &bp_sites_by_ip[hash_long(ip, BP_SITE_BITS)], by_ip) {
		if (site->ip == ip)
			return site;
	}
	return NULL;
}

static noinline void miss(struct bp_site *site, int reason)
{
	/* Without RCU the arrays may be freed while we read them, so count nothing. */
	if (!site || !rcu_is_watching())
		return;
	bp_count_misses(bp_probes_of(site, BPROBE_ENTRY), reason, BPROBE_ENTRY);
	bp_count_misses(bp_probes_of(site, BPROBE_RETURN), reason, BPROBE_ENTRY);
}
NOKPROBE_SYMBOL(miss);

static __always_inline void set_ext(struct bprobe_ext *ext, const struct pt_regs *regs,
				    unsigned long *slot, unsigned long caller,
				    unsigned long address)
{
	unsigned int i;

	ext->version = BPROBE_EXT_VERSION;
	ext->size = sizeof(*ext);
	ext->function = address;
	ext->caller = bp_graph_caller(caller, slot);
	bp_set_regs((struct pt_regs *)ext->entry, regs, address, slot);
	/*
	 * The words above the slot may lie beyond the stack, where a plain read
	 * would fault: interrupt stacks end in a guard page. Words in the same
	 * page as the slot are always mapped.
	 */
	if (likely(((unsigned long)slot & ~PAGE_MASK) <=
		   PAGE_SIZE - (BPROBE_STACK_WORDS + 1) * sizeof(long))) {
		/* Words that are no arguments may be a KASAN redzone of the caller. */
#pragma GCC unroll 8
		for (i = 0; i < BPROBE_STACK_WORDS; i++)
			ext->stack[i] = READ_ONCE_NOCHECK(slot[1 + i]);
	} else if (bp_read_nofault(ext->stack, slot + 1, sizeof(ext->stack))) {
		memset(ext->stack, 0, sizeof(ext->stack));
	}
}

/*
 * Frames below the new call on the task's own stack belong to calls that ended
 * without a return (an exception's fixup, a rewound stack). A frame at the same
 * slot is left alone: under a tail call it is alive.
 */
static __always_inline void prune(struct bp_cpu *cpu, struct bp_task *task, unsigned long *slot)
{
	unsigned long stack = (unsigned long)task_stack_page(current);
	struct bp_frame *frame;

	if ((unsigned long)slot - stack >= THREAD_SIZE)
		return;
	while (unlikely((frame = task->newest) && frame->slot < slot &&
			(unsigned long)frame->slot - stack < THREAD_SIZE)) {
		WRITE_ONCE(task->newest, frame->below);
		bp_frame_free(cpu, frame);
	}
}

static __always_inline void run_entry(struct bp_ctx *ctx, const struct bp_probes *entry, struct bp_site *site,
				      const struct pt_regs *regs, unsigned long *slot)
{
	if (entry->reads)
		bp_set_regs(&ctx->regs, regs, site->address, slot);
	bp_run(ctx, entry, BPROBE_ENTRY, U64_MAX);
}

/* What is known of a call: @caller is the real one, also behind a tail call. */
struct call {
	struct bp_task *set;
	struct bp_task *task;
	unsigned long *slot;
	unsigned long caller;
	bool chained;
};

static __always_inline struct call find_call(struct bp_cpu *cpu, unsigned long *slot)
{
	struct bp_task *set = bp_task_set(current);
	struct call call = {
		.set = set, .task = bp_task_find(set, current), .slot = slot, .caller = *slot,
	};

	if (!call.task)
		return call;
	prune(cpu, call.task, slot);
	/* A tail call: the slot belongs to the function that jumped here. */
	if (unlikely(call.caller == BP_TRAMPOLINE)) {
		const struct bp_frame *jumped = bp_frame_at(cpu, call.task, slot);

		call.chained = jumped;
		if (jumped)
			call.caller = jumped->caller;
	}
	return call;
}

/* A frame for @call; without one, counts a miss. */
static __always_inline struct bp_frame *make_frame(struct bp_cpu *cpu, struct call *call, const struct bp_probes *ret)
{
	struct bp_frame *frame = NULL;

	if (!call->task)
		call->task = bp_task_claim(call->set, current);
	if (likely(call->task))
		frame = bp_frame_alloc(cpu);
	if (unlikely(!frame)) {
		bp_count_misses(ret, BPROBE_MISS_NO_FRAME, BPROBE_ENTRY);
		bp_frames_short();
		if (call->task && !call->task->newest)
			bp_task_release(call->task);
	}
	return frame;
}

static __always_inline void push_frame(struct bp_frame *frame, const struct call *call, struct bp_site *site,
				       u64 generation)
{
	frame->below = call->task->newest;
	frame->slot = call->slot;
	frame->caller = call->caller;
	frame->site = site;
	frame->generation = generation;
	frame->chained = call->chained;
	/* Publish the frame before the trampoline: an NMI that walks this stack must find it. */
	WRITE_ONCE(call->task->newest, frame);
	barrier();
	WRITE_ONCE(*call->slot, BP_TRAMPOLINE);
}

/* Any call. The two usual ones have shorter ways in enter(). */
static noinline void enter_any(struct bp_cpu *cpu, struct bp_site *site, u64 generation,
			       const struct bp_probes *entry, const struct bp_probes *ret,
			       struct pt_regs *regs, unsigned long *slot)
{
	struct call call = find_call(cpu, slot);
	struct bp_frame *frame = ret ? make_frame(cpu, &call, ret) : NULL;
	struct bp_ctx *ctx = frame ? &frame->ctx : &cpu->ctx;
	bool looks = entry && entry->looks;

	if (looks || (frame && ret->looks))
		set_ext(&ctx->ext, regs, slot, call.caller, site->address);
	if (entry) {
		struct bp_frame *outer = looks && call.task ? call.task->newest : NULL;

		bp_lift(outer);
		run_entry(ctx, entry, site, regs, slot);
		bp_lower(outer);
	}
	if (frame)
		push_frame(frame, &call, site, generation);
}
NOKPROBE_SYMBOL(enter_any);

static __always_inline void enter(struct bp_cpu *cpu, struct bp_site *site,
				  struct pt_regs *regs, unsigned long *slot)
{
	/* Pairs with bp_attach(): of the programs that are in it, all are found below. */
	u64 generation = smp_load_acquire(&bp_generation);
	const struct bp_probes *entry = bp_probes_of(site, BPROBE_ENTRY);
	const struct bp_probes *ret = bp_probes_of(site, BPROBE_RETURN);

	if (entry && !ret && !entry->looks) {
		run_entry(&cpu->ctx, entry, site, regs, slot);
	} else if (ret && !entry && !ret->looks) {
		struct call call = find_call(cpu, slot);
		struct bp_frame *frame = make_frame(cpu, &call, ret);

		if (likely(frame))
			push_frame(frame, &call, site, generation);
	} else if (entry || ret) {
		enter_any(cpu, site, generation, entry, ret, regs, slot);
	}
}

static __always_inline void handle_entry(struct bp_site *site, struct pt_regs *regs,
					 unsigned long *slot)
{
	struct bp_cpu *cpu = raw_cpu_ptr(&bp_cpu);

	if (unlikely(cpu->busy)) {
		/*
		 * Newer kernels count every int3 as an NMI, so in_nmi() tells
		 * nothing for a kprobe.
		 */
		bool nmi = in_nmi() && site->hook == BPROBE_HOOK_FTRACE &&
			   cpu->busy->hook == BPROBE_HOOK_FTRACE;

		miss(site, nmi ? BPROBE_MISS_NMI : BPROBE_MISS_RECURSION);
		return;
	}
	cpu->busy = site;
	barrier();
	if (likely(rcu_is_watching()))
		enter(cpu, site, regs, slot);
	else
		atomic64_inc(&site->without_rcu);
	barrier();
	cpu->busy = NULL;
}

/* Called by bp_ftrace_stub with complete registers. */
void bp_ftrace_entry(unsigned long ip, struct pt_regs *regs)
{
	struct bp_site *site;
	unsigned long flags;

	raw_local_irq_save(flags);
	site = find_site(ip);
	if (likely(site))
		handle_entry(site, regs, (unsigned long *)regs->sp);
	raw_local_irq_restore(flags);
}
NOKPROBE_SYMBOL(bp_ftrace_entry);

/* Called by bp_kprobe_stub: a function without a __fentry__ site, by int3 or optimized kprobe. */
int bp_kprobe_entry(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct bp_site *site = container_of(kprobe, struct bp_site, kprobe);
	unsigned long flags;

	raw_local_irq_save(flags);
	handle_entry(site, regs, (unsigned long *)regs->sp);
	raw_local_irq_restore(flags);
	return 0;
}
NOKPROBE_SYMBOL(bp_kprobe_entry);
