/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs programs under the kernel's guard: what trace_call_bpf() does before and
 * after it runs a program. The guard refuses while another program or a map
 * operation is under way on this CPU. All programs of a site share one guard.
 *
 * Handlers have interrupts off. With that, all that is left to do is to count
 * the programs that run on this CPU, to set the run context and, where
 * interrupts do not stand for it, rcu_read_lock(). Done here, it costs a third
 * of what the kernel's function costs.
 */
#ifndef BPROBE_RUN_H
#define BPROBE_RUN_H

#include "internal.h"

/* The kernel's bpf_prog_active; NULL if its address is not known. */
extern int __percpu *bp_programs_active;

bool bp_run_by_kernel(struct bp_ctx *ctx, const struct bp_probes *probes, int point, u64 generation);

/*
 * Whether a probe does not want this call, because it is in an interrupt. Not
 * in_interrupt(), which is also true for a task that has turned bottom halves
 * off. @at is the point where the handler runs: a breakpoint at the entry is
 * itself counted as an NMI by newer kernels.
 */
static __always_inline bool bp_unwanted(const struct bp_probe *probe, int at)
{
	unsigned int count;

	if (likely(!probe->not_in_interrupt))
		return false;
	count = preempt_count();
	if (BP_BREAKPOINT_IS_NMI && at == BPROBE_ENTRY && probe->site->hook == BPROBE_HOOK_KPROBE)
		count -= NMI_OFFSET + HARDIRQ_OFFSET;
	return count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}

/* An array that is published is not empty. */
static __always_inline void bp_run_unguarded(struct bp_ctx *ctx, const struct bp_probes *probes, int point,
					     u64 generation)
{
	unsigned int i = 0;

	do {
		struct bp_probe *probe = probes->probe[i];

		/* Attached while this call was under way. */
		if (probe->generation > generation)
			continue;
		if (bp_unwanted(probe, point))
			continue;
		ctx->ext.cookie = probe->cookie;
		bp_prog_run(probe->prog, ctx);
		raw_cpu_inc(probe->counts->hits);
	} while (++i < probes->count);
}

/*
 * False if the guard refused. An NMI between these steps leaves the counter and
 * the run context as it found them. trace_call_bpf() also turns preemption or
 * migration off, so that the task stays on this CPU: it does.
 */
static __always_inline bool bp_run_guarded(struct bp_ctx *ctx, const struct bp_probes *probes, int point,
					   u64 generation)
{
	struct bpf_run_ctx *outer;

	if (unlikely(!bp_programs_active))
		return bp_run_by_kernel(ctx, probes, point, generation);
	if (unlikely(raw_cpu_read(*bp_programs_active)))
		return false;
	raw_cpu_inc(*bp_programs_active);
	barrier();
	bp_programs_rcu_lock();
	outer = bp_run_ctx_enter();
	bp_run_unguarded(ctx, probes, point, generation);
	bp_run_ctx_leave(outer);
	bp_programs_rcu_unlock();
	barrier();
	raw_cpu_dec(*bp_programs_active);
	return true;
}

/*
 * The handlers turned interrupts off without telling lockdep. It must know
 * before a helper takes a lock, or it remembers interrupts as off when they are
 * on again. Afterwards it gets back the state it had, right or wrong.
 */
static __always_inline void bp_run(struct bp_ctx *ctx, const struct bp_probes *probes, int point, u64 generation)
{
	bool irqs_on = bp_lockdep_irqs_on();

	if (irqs_on)
		trace_hardirqs_off();
	if (unlikely(bp_nmi_refused()))
		bp_count_misses(probes, BPROBE_MISS_NMI, point);
	else if (unlikely(!bp_run_guarded(ctx, probes, point, generation)))
		bp_count_misses(probes, BPROBE_MISS_BPF_BUSY, point);
	if (irqs_on)
		trace_hardirqs_on();
}

#endif
