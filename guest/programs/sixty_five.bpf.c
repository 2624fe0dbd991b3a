// SPDX-License-Identifier: GPL-2.0
/* One program more than bprobectl attaches. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

#define PROGRAM(number)			\
	SEC("kprobe/fx_c")		\
	int program_##number(void *ctx)	\
	{				\
		return 0;		\
	}
#define EIGHT(number)						\
	PROGRAM(number##0) PROGRAM(number##1) PROGRAM(number##2)	\
	PROGRAM(number##3) PROGRAM(number##4) PROGRAM(number##5)	\
	PROGRAM(number##6) PROGRAM(number##7)

EIGHT(0) EIGHT(1) EIGHT(2) EIGHT(3) EIGHT(4) EIGHT(5) EIGHT(6) EIGHT(7)
PROGRAM(80)

char _license[] SEC("license") = "GPL";
