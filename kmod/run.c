// SPDX-License-Identifier: GPL-2.0
/*
 * Runs programs under the kernel's own guard.
 *
 * trace_call_bpf() does what a program needs on each kernel (bpf_prog_active,
 * RCU, the run context, no NMI on old ones), but it runs an array of programs
 * and does not tell whether it ran them. So it gets an array of one program
 * whose code is dispatch(). That runs the programs of the probes, each with its
 * cookie, and sets bp_ctx.ran. All programs of a site share one guard.
 */
#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/slab.h>
#include <linux/trace_events.h>

#include "internal.h"

static struct trace_event_call *event;
static struct bpf_prog *dispatcher;	/* a copy with bpf_func replaced */
static struct bpf_prog *original;	/* owns what the copy points to */

#ifdef BP_TRACE_CALL_BPF_EXPORTED
#define run_guarded(ctx) trace_call_bpf(event, ctx)
#else
static const void *trace_call_bpf_address;
#define run_guarded(ctx) bp_call(trace_call_bpf_address, event, ctx)
#endif

/*
 * Whether a probe does not want this call, because it is in an interrupt. Not
 * in_interrupt(), which is also true for a task that has turned bottom halves
 * off. @at is the point where the handler runs: a breakpoint at the entry is
 * itself counted as an NMI by newer kernels.
 */
static bool unwanted(const struct bp_probe *probe, int at)
{
	unsigned int count;

	if (likely(!probe->not_in_interrupt))
		return false;
	count = preempt_count();
	if (BP_BREAKPOINT_IS_NMI && at == BPROBE_ENTRY && probe->site->hook == BPROBE_HOOK_KPROBE)
		count -= NMI_OFFSET + HARDIRQ_OFFSET;
	return count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}
NOKPROBE_SYMBOL(unwanted);

static unsigned int dispatch(const void *regs, const struct bpf_insn *insn)
{
	struct bp_ctx *ctx = (struct bp_ctx *)regs;
	const struct bp_probes *probes = ctx->probes;
	unsigned int i;

	ctx->ran = true;
	for (i = 0; i < probes->count; i++) {
		struct bp_probe *probe = probes->probe[i];

		/* Attached while this call was under way. */
		if (probe->generation > ctx->generation)
			continue;
		if (unwanted(probe, probe->group->point))
			continue;
		ctx->ext.cookie = probe->cookie;
		bp_prog_run(probe->prog, ctx);
		raw_cpu_inc(probe->counts->hits);
	}
	return 0;
}
NOKPROBE_SYMBOL(dispatch);

/* @at: the point where the handler runs; return probes can miss a call at its entry. */
void bp_count_misses(const struct bp_probes *probes, int reason, int at)
{
	unsigned int i;

	if (!probes)
		return;
	for (i = 0; i < probes->count; i++) {
		if (!unwanted(probes->probe[i], at))
			raw_cpu_inc(probes->probe[i]->counts->misses[reason]);
	}
}
NOKPROBE_SYMBOL(bp_count_misses);

static int point_of(const struct bp_ctx *ctx)
{
	return ctx->probes->probe[0]->group->point;
}

/*
 * The handlers turned interrupts off without telling lockdep. It must know
 * before a helper takes a lock, or it remembers interrupts as off when they are
 * on again. Afterwards it gets back the state it had, right or wrong.
 */
void bp_run(struct bp_ctx *ctx)
{
	bool irqs_on = bp_lockdep_irqs_on();

	if (irqs_on)
		trace_hardirqs_off();
	if (bp_nmi_refused()) {
		bp_count_misses(ctx->probes, BPROBE_MISS_NMI, point_of(ctx));
	} else {
		ctx->ran = false;
		run_guarded(ctx);
		/* Another program or a map operation is under way on this CPU. */
		if (!READ_ONCE(ctx->ran))
			bp_count_misses(ctx->probes, BPROBE_MISS_BPF_BUSY, point_of(ctx));
	}
	if (irqs_on)
		trace_hardirqs_on();
}
NOKPROBE_SYMBOL(bp_run);

int bp_run_init(void)
{
	struct sock_filter ret0 = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog_kern filter = {.len = 1, .filter = &ret0};
	struct bpf_prog_array *array;
	int err;

#ifndef BP_TRACE_CALL_BPF_EXPORTED
	trace_call_bpf_address = bp_resolve("trace_call_bpf");
	if (!trace_call_bpf_address)
		return -ENXIO;
#endif
	/* A real program, so that it has all that a kernel keeps per program. */
	err = bpf_prog_create(&original, &filter);
	if (err)
		return err;
	dispatcher = kmemdup(original, sizeof(*original), GFP_KERNEL);
	event = kzalloc(sizeof(*event), GFP_KERNEL);
	array = kzalloc(BP_PROG_ARRAY_SIZE, GFP_KERNEL);
	if (!dispatcher || !event || !array) {
		kfree(array);
		bp_run_exit();
		return -ENOMEM;
	}
	dispatcher->bpf_func = dispatch;
	bp_prog_array_set(array, dispatcher);
	RCU_INIT_POINTER(event->prog_array, array);
	return 0;
}

void bp_run_exit(void)
{
	if (event)
		kfree(rcu_dereference_protected(event->prog_array, true));
	kfree(event);
	kfree(dispatcher);
	bpf_prog_destroy(original);
}
