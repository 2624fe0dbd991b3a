// SPDX-License-Identifier: GPL-2.0
/*
 * Runs programs under the kernel's guard: whatever trace_call_bpf() does before
 * it runs a program. The guard also refuses, while another program or a map
 * operation is under way on this CPU.
 *
 * With interrupts off, the counter of programs that run on this CPU and the run
 * context are all that is left of it. So run_guarded() does that itself, at a
 * quarter of the price. It needs the address of the counter, and kallsyms has
 * variables only with CONFIG_KALLSYMS_ALL. Without it the kernel's function is
 * called: by_kernel(). All programs of a site share one guard.
 */
#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/slab.h>
#include <linux/trace_events.h>

#include "internal.h"

/* The kernel's bpf_prog_active; NULL if its address is not known. */
static int __percpu *programs_active;

/*
 * trace_call_bpf() runs an array of programs and does not tell whether it ran
 * them. So it gets an array of one program whose code is dispatch(). That runs
 * the programs of the probes, and sets bp_ctx.ran.
 */
static struct trace_event_call *event;
static struct bpf_prog *dispatcher;	/* a copy with bpf_func replaced */
static struct bpf_prog *original;	/* owns what the copy points to */

#ifdef BP_TRACE_CALL_BPF_EXPORTED
#define call_bpf(ctx) trace_call_bpf(event, ctx)
#else
static const void *trace_call_bpf_address;
#define call_bpf(ctx) bp_call(trace_call_bpf_address, event, ctx)
#endif

/*
 * Whether a probe does not want this call, because it is in an interrupt. Not
 * in_interrupt(), which is also true for a task that has turned bottom halves
 * off. @at is the point where the handler runs: a breakpoint at the entry is
 * itself counted as an NMI by newer kernels.
 */
static __always_inline bool unwanted(const struct bp_probe *probe, int at)
{
	unsigned int count;

	if (likely(!probe->not_in_interrupt))
		return false;
	count = preempt_count();
	if (BP_BREAKPOINT_IS_NMI && at == BPROBE_ENTRY && probe->site->hook == BPROBE_HOOK_KPROBE)
		count -= NMI_OFFSET + HARDIRQ_OFFSET;
	return count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}

static __always_inline void run_programs(struct bp_ctx *ctx)
{
	const struct bp_probes *probes = ctx->probes;
	unsigned int i;

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
}

static unsigned int dispatch(const void *regs, const struct bpf_insn *insn)
{
	struct bp_ctx *ctx = (struct bp_ctx *)regs;

	ctx->ran = true;
	run_programs(ctx);
	return 0;
}
NOKPROBE_SYMBOL(dispatch);

static noinline bool by_kernel(struct bp_ctx *ctx)
{
	ctx->ran = false;
	call_bpf(ctx);
	return READ_ONCE(ctx->ran);
}
NOKPROBE_SYMBOL(by_kernel);

/*
 * An NMI between these steps leaves the counter as it found it. Interrupts are
 * off, so the task stays on this CPU, which is what trace_call_bpf() turns
 * preemption or migration off for. Helpers read the run context, so it must be
 * there, and empty: cookies are for the programs of the kernel's own probes.
 */
static __always_inline bool run_guarded(struct bp_ctx *ctx)
{
	struct bp_run_ctx run_ctx;

	if (unlikely(!programs_active))
		return by_kernel(ctx);
	if (unlikely(raw_cpu_read(*programs_active)))
		return false;
	raw_cpu_inc(*programs_active);
	barrier();
	bp_programs_rcu_lock();
	bp_run_ctx_enter(&run_ctx);
	run_programs(ctx);
	bp_run_ctx_leave(&run_ctx);
	bp_programs_rcu_unlock();
	barrier();
	raw_cpu_dec(*programs_active);
	return true;
}

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
	} else if (unlikely(!run_guarded(ctx))) {
		bp_count_misses(ctx->probes, BPROBE_MISS_BPF_BUSY, point_of(ctx));
	}
	if (irqs_on)
		trace_hardirqs_on();
}
NOKPROBE_SYMBOL(bp_run);

/* What trace_call_bpf() needs to call dispatch(). */
static int make_dispatcher(void)
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

int bp_run_init(void)
{
	programs_active = (int __percpu *)(unsigned long)bp_resolve("bpf_prog_active");
	return programs_active ? 0 : make_dispatcher();
}

void bp_run_exit(void)
{
	if (event)
		kfree(rcu_dereference_protected(event->prog_array, true));
	kfree(event);
	kfree(dispatcher);
	if (original)
		bpf_prog_destroy(original);
}
