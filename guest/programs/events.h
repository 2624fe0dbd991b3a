/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs put into their maps, for them and for those who read it. */
#ifndef EVENTS_H
#define EVENTS_H

#include <linux/types.h>
#include "bprobe.h"

#define EVENTS_PER_CPU 4096
#define COUNTERS 1024
#define STACK_WORDS 127
#define STACKS 2048

/* Words of struct pt_regs; the general registers in the order of struct fx_regs. */
enum {
	R15, R14, R13, R12, BP, BX, R11, R10, R9, R8, AX, CX, DX, SI, DI, ORIG_AX, IP, CS, FLAGS, SP, SS,
};

/* One run of `record`. */
struct event {
	__u64 time_ns;
	__u64 pid_tgid;
	__u32 cpu;
	__s32 stack_id;		/* or a negative errno */
	__u64 regs[BPROBE_REGS_WORDS];
	__u64 slot;
	struct bprobe_ext ext;
};

/* What a program cannot learn from a mechanism of the kernel, by cookie % COUNTERS where it has one (self.h). */
struct self {
	__u64 cookie;
	__u64 function;
	__u32 point;		/* enum bprobe_point */
	__u32 result;		/* index of the return value behind the arguments; too large: not needed */
};

/* By cookie % COUNTERS. */
struct counter {
	__u64 count;
	__u64 bad;
	__u64 last;
	__u64 result;
	__u64 first_bad[BPROBE_REGS_WORDS];
};

/* One run of `trace`, through a perf buffer. */
struct trace_event {
	__u64 time_ns;
	__u64 pid_tgid;
	__u32 cpu;
	__s32 stack_id;
	__u64 function;
	__u64 caller;
	__u64 arguments[6];	/* of the call, at entry and at return */
	__u64 result;		/* rax */
	char comm[16];
};

#endif
