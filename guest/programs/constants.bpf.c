// SPDX-License-Identifier: GPL-2.0
/*
 * Constants, a ring buffer, global variables, and a field found by the kernel's
 * BTF: what programs of today have. Linux 5.8. The program of the section
 * fentry is not for bprobe.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct seen {
	__s64 argument;
	int tgid;
	char label[8];
};

const volatile __s64 least = 0;
const volatile int most = 1000;
const volatile char label[8] = "none";
const volatile _Bool counts = 0;

__u64 below;
struct seen *unused;	/* keeps the type in the object */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} output SEC(".maps");

SEC("kprobe/fx_c")
int above(struct pt_regs *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__s64 argument = PT_REGS_PARM1(ctx);
	struct seen *seen;

	if (argument < least || argument > most) {
		if (counts)
			below++;
		return 0;
	}
	seen = bpf_ringbuf_reserve(&output, sizeof(*seen), 0);
	if (!seen)
		return 0;
	seen->argument = argument;
	seen->tgid = BPF_CORE_READ(task, tgid);
	for (int i = 0; i < 8; i++)
		seen->label[i] = label[i];
	bpf_ringbuf_submit(seen, 0);
	return 0;
}

SEC("fentry/fx_c")
int BPF_PROG(other)
{
	return 0;
}

SEC("kprobe.multi/fx_c")
int several(struct pt_regs *regs)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
