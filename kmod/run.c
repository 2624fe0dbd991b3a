// SPDX-License-Identifier: GPL-2.0
/*
 * What run.h needs beside a hit, and the way through the kernel's own guard.
 *
 * The guard's counter is not exported, and kallsyms has variables only with
 * CONFIG_KALLSYMS_ALL. Without it trace_call_bpf() is called. That runs an array
 * of programs and does not tell whether it ran them. So it gets an array of one
 * program whose code is dispatch(). That runs the programs of the probes and
 * sets bp_kernel_run.ran.
 */
#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/slab.h>
#include <linux/trace_events.h>

#include "run.h"

int __percpu *bp_programs_active;

#ifdef BP_TRACE_RUN_CTX
struct bpf_trace_run_ctx bp_run_ctx;
#endif

static struct trace_event_call *event;
static struct bpf_prog *dispatcher;	/* a copy with bpf_func replaced */
static struct bpf_prog *original;	/* owns what the copy points to */

#ifdef BP_TRACE_CALL_BPF_EXPORTED
#define call_bpf(arg) trace_call_bpf(event, arg)
#else
static const void *trace_call_bpf_address;
#define call_bpf(arg) bp_call(trace_call_bpf_address, event, arg)
#endif

/* The context of dispatch(). */
struct bp_kernel_run {
	struct bp_ctx *ctx;
	const struct bp_probes *probes;
	int point;
	u64 generation;
	bool ran;
};

static unsigned int dispatch(const void *arg, const struct bpf_insn *insn)
{
	struct bp_kernel_run *run = (struct bp_kernel_run *)arg;

	run->ran = true;
	bp_run_unguarded(run->ctx, run->probes, run->point, run->generation);
	return 0;
}
NOKPROBE_SYMBOL(dispatch);

bool bp_run_by_kernel(struct bp_ctx *ctx, const struct bp_probes *probes, int point, u64 generation)
{
	struct bp_kernel_run run = {.ctx = ctx, .probes = probes, .point = point, .generation = generation};

	call_bpf(&run);
	return READ_ONCE(run.ran);
}
NOKPROBE_SYMBOL(bp_run_by_kernel);

/* @at: the point where the handler runs; return probes can miss a call at its entry. */
void bp_count_misses(const struct bp_probes *probes, int reason, int at)
{
	unsigned int i;

	if (!probes)
		return;
	for (i = 0; i < probes->count; i++) {
		if (!bp_unwanted(probes->probe[i], at))
			raw_cpu_inc(probes->probe[i]->counts->misses[reason]);
	}
}
NOKPROBE_SYMBOL(bp_count_misses);

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
	bp_programs_active = (int __percpu *)(unsigned long)bp_resolve("bpf_prog_active");
	return bp_programs_active ? 0 : make_dispatcher();
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
