/* SPDX-License-Identifier: GPL-2.0 */
/* The register patterns of FX_IOC_LOOP, seen from a program (fixtures.h). */
#ifndef VERIFY_H
#define VERIFY_H

#include "program.h"
#include "fixtures.h"

#define DIRECTION 0x400ull

/* Too large for a program's stack beside what the compiler keeps there. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bprobe_ext);
} scratch SEC(".maps");

/* One comparison at a time, else the compiler runs out of stack for the operands of all. */
#define CHECK(wrong, a, b)			\
	do {					\
		(wrong) |= (a) ^ (b);		\
		asm volatile("" : "+r"(wrong));	\
	} while (0)
#define CHECK_GPR(wrong, regs, k, base, step) CHECK(wrong, (regs)[k], (base) + (k) * (step))

/* A kernel with frame pointers has a real frame in bp (word 4). */
static always_inline __u64 wrong_gprs(const __u64 *regs, __u64 base, __u64 step)
{
	__u64 wrong = 0;

	CHECK_GPR(wrong, regs, 0, base, step);
	CHECK_GPR(wrong, regs, 1, base, step);
	CHECK_GPR(wrong, regs, 2, base, step);
	CHECK_GPR(wrong, regs, 3, base, step);
	CHECK_GPR(wrong, regs, 5, base, step);
	CHECK_GPR(wrong, regs, 6, base, step);
	CHECK_GPR(wrong, regs, 7, base, step);
	CHECK_GPR(wrong, regs, 8, base, step);
	CHECK_GPR(wrong, regs, 9, base, step);
	CHECK_GPR(wrong, regs, 10, base, step);
	CHECK_GPR(wrong, regs, 11, base, step);
	CHECK_GPR(wrong, regs, 12, base, step);
	CHECK_GPR(wrong, regs, 13, base, step);
	CHECK_GPR(wrong, regs, 14, base, step);
	return wrong;
}

/* DF may be missing, as it is where the target is compiled, but never be set where the pattern has it clear. */
static always_inline __u64 wrong_flags(__u64 flags, __u64 pattern)
{
	return ((flags ^ pattern) & FX_LOOP_FLAGS & ~DIRECTION) | (flags & ~pattern & DIRECTION);
}

#ifdef SEES_REGISTERS
/* What was not in the registers: the arguments on the stack, at the entry. */
static always_inline __u64 wrong_ext(const __u64 *ctx, const struct bprobe_ext *ext)
{
	__u64 base = ext->entry[R15], wrong = 0;

	CHECK(wrong, ext->entry[SP], ctx[SP]);
	CHECK(wrong, ext->stack[0], base + FX_GPRS * FX_STEP_IN);
	CHECK(wrong, ext->stack[1], base + (FX_GPRS + 1) * FX_STEP_IN);
	return wrong;
}
#else
/* What holds at entry and at return: the block belongs to this call, and its entry registers to one pattern. */
static always_inline __u64 wrong_ext(const __u64 *ctx, const struct bprobe_ext *ext)
{
	__u64 base = ext->entry[R15], above[3] = {}, wrong;

	bpf_probe_read(above, sizeof(above), (void *)ctx[SP]);
	wrong = wrong_gprs((const __u64 *)ext->entry, base, FX_STEP_IN);
	wrong |= wrong_flags(ext->entry[FLAGS], base);
	CHECK(wrong, ext->version, BPROBE_EXT_VERSION);
	CHECK(wrong, ext->function, ctx[IP]);
	CHECK(wrong, ext->entry[IP], ctx[IP]);
	CHECK(wrong, ext->entry[SP], ctx[SP]);
	CHECK(wrong, above[0], ext->caller);
	CHECK(wrong, above[1], base + FX_GPRS * FX_STEP_IN);
	CHECK(wrong, above[2], base + (FX_GPRS + 1) * FX_STEP_IN);
	CHECK(wrong, ext->stack[0], above[1]);
	CHECK(wrong, ext->stack[1], above[2]);
	return wrong;
}
#endif

static always_inline struct bprobe_ext *ext_of(void *ctx)
{
	__u32 key = 0;
	struct bprobe_ext *ext = bpf_map_lookup_elem(&scratch, &key);

	if (ext)
		read_ext(ctx, ext);
	return ext;
}

static always_inline void judge(__u64 *ctx, __u64 wrong)
{
	struct counter *counter = counter_of(ctx);

	if (!counter)
		return;
	if (!wrong) {
		__sync_fetch_and_add(&counter->count, 1);
		return;
	}
	if (!counter->bad)
		bpf_probe_read(counter->first_bad, sizeof(counter->first_bad), ctx);
	__sync_fetch_and_add(&counter->bad, 1);
}

#endif
