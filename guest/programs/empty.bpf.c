// SPDX-License-Identifier: GPL-2.0
/* Nothing: what a probe costs by itself. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("kprobe")
int empty(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
