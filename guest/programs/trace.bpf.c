// SPDX-License-Identifier: GPL-2.0
/* What bprobectl trace prints. */
#include "stacks.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} output SEC(".maps");

SEC("kprobe")
int trace(__u64 *ctx)
{
	struct trace_event event = {};
	struct bprobe_ext ext = {};

	read_ext(ctx, &ext);
	event.time_ns = bpf_ktime_get_ns();
	event.pid_tgid = bpf_get_current_pid_tgid();
	event.cpu = bpf_get_smp_processor_id();
	event.stack_id = bpf_get_stackid(ctx, &stacks, 0);
	event.function = ext.function;
	event.caller = ext.caller;
	event.arguments[0] = ext.entry[DI];
	event.arguments[1] = ext.entry[SI];
	event.arguments[2] = ext.entry[DX];
	event.arguments[3] = ext.entry[CX];
	event.arguments[4] = ext.entry[R8];
	event.arguments[5] = ext.entry[R9];
	event.result = ctx[AX];
	bpf_get_current_comm(event.comm, sizeof(event.comm));
	bpf_perf_event_output(ctx, &output, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}
