// SPDX-License-Identifier: GPL-2.0
/*
 * A program as people write them for kprobes: how long calls take. It knows
 * nothing of bprobe; sections say where it runs. For Linux 4.15.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct call {
	__u64 argument;
	__u64 result;
	__u32 pid;
	__u32 cpu;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, struct begun {
		__u64 ns;
		__u64 argument;
	});
} begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} durations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ended SEC(".maps");

/* What a process was answered last, of the last processes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} answers SEC(".maps");

/* Calls by process, of the last ones, and by name. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, struct name {
		char comm[16];
	});
	__type(value, __u32);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} callers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} calls SEC(".maps");

/* Keeps the type of the records in the object. */
struct call *unused __attribute__((unused));

static __always_inline void add_one(void *map, const void *key)
{
	__u32 one = 1, *count = bpf_map_lookup_elem(map, key);

	if (count)
		*count += 1;
	else
		bpf_map_update_elem(map, key, &one, BPF_ANY);
}

SEC("kprobe/fx_c")
int begin(struct pt_regs *ctx)
{
	__u64 task = bpf_get_current_pid_tgid();
	struct begun now = {.ns = bpf_ktime_get_ns(), .argument = PT_REGS_PARM1(ctx)};

	bpf_map_update_elem(&begun, &task, &now, BPF_ANY);
	bpf_get_stackid(ctx, &callers, 0);
	return 0;
}

SEC("kretprobe/fx_c")
int end(struct pt_regs *ctx)
{
	__u64 task = bpf_get_current_pid_tgid(), *count;
	struct begun *then = bpf_map_lookup_elem(&begun, &task);
	struct call call = {.pid = task >> 32, .cpu = bpf_get_smp_processor_id(), .result = PT_REGS_RC(ctx)};
	__u32 longer = 0, first = 0, *all = bpf_map_lookup_elem(&ended, &first);

	if (all)
		*all += 1;
	if (!then)
		return 0;
	if (bpf_ktime_get_ns() - then->ns > 1000000)
		longer = 1;
	count = bpf_map_lookup_elem(&durations, &longer);
	if (count)
		*count += 1;
	call.argument = then->argument;
	bpf_get_current_comm(call.comm, sizeof(call.comm));
	add_one(&processes, &call.pid);
	add_one(&names, call.comm);
	bpf_map_update_elem(&answers, &call.pid, &call.result, BPF_ANY);
	bpf_map_delete_elem(&begun, &task);
	bpf_perf_event_output(ctx, &calls, BPF_F_CURRENT_CPU, &call, sizeof(call));
	return 0;
}

char _license[] SEC("license") = "GPL";
