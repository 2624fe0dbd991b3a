// SPDX-License-Identifier: GPL-2.0
/* Calls of the fixtures' targets. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "agent.h"

const char *const target_names[] = {"asm", "asm-fentry", "c", "tail", "tail-fentry", "address", NULL};
const char *const context_names[] = {"task", "kthread", "softirq", "hardirq", "bhOff", NULL};
const char *const point_names[] = {"entry", "return", NULL};
static const char *const action_names[] = {"nothing", "sleep", "wait", "recurse", "exit", "bypass", "run", NULL};
static const char *const register_names[] = {
	"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "flags", "sp",
};
#define REGISTERS (sizeof(register_names) / sizeof(*register_names))

static bool get_choice(json_t *in, const char *name, const char *const *choices, __u32 *value, struct failure *failure)
{
	int choice = 0;

	if (json_object_get(in, name) && !need_choice(in, name, choices, &choice, failure))
		return false;
	*value = choice;
	return true;
}

static bool get_regs(json_t *in, const char *name, struct fx_regs *regs, struct failure *failure)
{
	json_t *object = json_object_get(in, name);
	uint64_t *words = (uint64_t *)regs;

	for (size_t i = 0; i < REGISTERS; i++) {
		if (!get_hex(object, register_names[i], &words[i])) {
			fail(failure, EINVAL, "`%s.%s` has to be a hexadecimal string.", name, register_names[i]);
			return false;
		}
	}
	return true;
}

static bool get_stack(json_t *in, struct fx_call *call, struct failure *failure)
{
	json_t *stack = json_object_get(in, "stack"), *word;
	size_t i;
	bool ok = !stack || (json_is_array(stack) && json_array_size(stack) == 2);

	if (ok && stack) {
		json_array_foreach(stack, i, word) {
			bool is_hex = false;

			if (json_is_string(word))
				call->stack[i] = hex_value(json_string_value(word), &is_hex);
			ok = ok && is_hex;
		}
	}
	if (!ok)
		fail(failure, EINVAL, "`stack` has to be two hexadecimal strings.");
	return ok;
}

bool call_from_json(json_t *in, struct fx_call *call, struct failure *failure)
{
	uint64_t address = 0;

	memset(call, 0, sizeof(*call));
	call->size = sizeof(*call);
	if (!get_choice(in, "target", target_names, &call->target, failure) ||
	    !get_choice(in, "context", context_names, &call->context, failure) ||
	    !get_choice(in, "action", action_names, &call->action, failure) ||
	    !get_regs(in, "in", &call->in, failure) || !get_regs(in, "ret", &call->ret, failure) ||
	    !get_stack(in, call, failure))
		return false;
	if (json_object_get(in, "address") && !need_hex(in, "address", &address, failure))
		return false;
	call->address = address;
	call->arg = get_number(in, "arg", 0);
	call->depth = get_number(in, "depth", 0);
	call->flags = (json_is_true(json_object_get(in, "clobberStack")) ? FX_CLOBBER_STACK : 0) |
		      (json_is_true(json_object_get(in, "traceStack")) ? FX_TRACE_STACK : 0) |
		      (json_is_true(json_object_get(in, "atPageEnd")) ? FX_AT_PAGE_END : 0);
	return true;
}

static json_t *fx_regs_json(const struct fx_regs *regs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < REGISTERS; i++)
		json_object_set_new(object, register_names[i], hex(((const uint64_t *)regs)[i]));
	return object;
}

json_t *call_to_json(const struct fx_call *call, pid_t pid)
{
	json_t *trace = json_array();

	for (__u32 i = 0; i < call->traced && i < FX_TRACE_MAX; i++)
		json_array_append_new(trace, hex(call->trace[i]));
	return json_pack("{s:s, s:s, s:s, s:I, s:b, s:b, s:i, s:o,"
			 " s:[oo], s:o, s:o, s:o, s:[oo], s:[oo], s:o,"
			 " s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:i}",
			 "target", target_names[call->target % FX_TARGETS], "context", context_names[call->context % 5],
			 "action", action_names[call->action % 7], "arg", (json_int_t)call->arg,
			 "clobberStack", !!(call->flags & FX_CLOBBER_STACK),
			 "traceStack", !!(call->flags & FX_TRACE_STACK), "depth", (int)call->depth,
			 "address", hex(call->address),
			 "stack", hex(call->stack[0]), hex(call->stack[1]), "in", fx_regs_json(&call->in),
			 "ret", fx_regs_json(&call->ret), "seen", fx_regs_json(&call->seen),
			 "seenStack", hex(call->seen_stack[0]), hex(call->seen_stack[1]),
			 "leftStack", hex(call->left_stack[0]), hex(call->left_stack[1]),
			 "after", fx_regs_json(&call->after),
			 "sp", hex(call->sp), "caller", hex(call->caller), "function", hex(call->function),
			 "beginNs", hex(call->begin_ns), "endNs", hex(call->end_ns), "cpuBefore", (int)call->cpu_before,
			 "cpuAfter", (int)call->cpu_after, "trace", trace, "pid", (int)pid);
}

json_t *op_call(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure);
	struct fx_call call;

	if (device < 0 || !call_from_json(in, &call, failure))
		return NULL;
	if (ioctl(device, FX_IOC_CALL, &call))
		return fail_errno(failure, "The fixtures refused the call");
	return call_to_json(&call, getpid());
}

json_t *op_release(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure);

	(void)in;
	if (device < 0)
		return NULL;
	ioctl(device, FX_IOC_RELEASE);
	return json_object();
}

json_t *op_keep(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure), probe = handle_fd(in, "probe", PROBE, failure);

	if (device < 0 || probe < 0)
		return NULL;
	if (ioctl(device, FX_IOC_KEEP, probe))
		return fail_errno(failure, "FX_IOC_KEEP");
	return json_object();
}

json_t *op_nest(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure);

	if (device < 0)
		return NULL;
	if (ioctl(device, FX_IOC_NEST, (unsigned long)json_is_true(json_object_get(in, "on"))))
		return fail_errno(failure, "FX_IOC_NEST");
	return json_object();
}

json_t *op_counts(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure);
	struct fx_counts counts;
	json_t *begun, *ended;

	(void)in;
	if (device < 0)
		return NULL;
	if (ioctl(device, FX_IOC_COUNTS, &counts))
		return fail_errno(failure, "FX_IOC_COUNTS");
	begun = json_object();
	ended = json_object();
	for (int i = 0; i < FX_TARGETS; i++) {
		json_object_set_new(begun, target_names[i], json_integer(counts.begun[i]));
		json_object_set_new(ended, target_names[i], json_integer(counts.ended[i]));
	}
	return json_pack("{s:o, s:o, s:I, s:o}", "begun", begun, "ended", ended, "waiting",
			 (json_int_t)counts.waiting, "nowNs", hex(counts.now_ns));
}

/* The word of an outcome at this place, from fx_call.seen on. */
static json_t *word_name(size_t n)
{
	if (n < REGISTERS)
		return json_sprintf("seen.%s", register_names[n]);
	if (n < REGISTERS + 2)
		return json_sprintf("seenStack.%zu", n - REGISTERS);
	return json_sprintf("after.%s", register_names[n - REGISTERS - 2]);
}

/* Has the check of loops judge a good call, and then the same with one word changed after the other. */
json_t *op_check_lies(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure), target;
	struct fx_call call = {.size = sizeof(call), .sp = 0x1000};
	uint64_t *outcome = (uint64_t *)&call.seen;
	json_t *unnoticed;
	bool good;

	if (device < 0 || !need_choice(in, "target", target_names, &target, failure))
		return NULL;
	call.target = target;
	for (size_t i = 0; i < REGISTERS; i++) {
		(&call.in.r15)[i] = 0x100 + i;
		(&call.ret.r15)[i] = 0x200 + i;
	}
	call.stack[0] = call.seen_stack[0] = 0x300;
	call.stack[1] = call.seen_stack[1] = 0x301;
	call.seen = call.in;
	call.after = target == FX_C ? call.in : call.ret;
	call.after.ax = call.ret.ax;
	call.in.flags = call.ret.flags = call.seen.flags = call.after.flags = 2;
	call.seen.sp = call.sp - 8;
	call.after.sp = call.sp;
	good = ioctl(device, FX_IOC_CHECK, &call) == 1;
	unnoticed = json_array();
	for (size_t n = 0; n < 2 * REGISTERS + 2; n++) {
		bool noticed = true;

		/* Of the flags, these two are compared everywhere: DF and IF. */
		for (uint64_t bit = 0x400; bit >= 0x200; bit /= 2) {
			outcome[n] ^= bit;
			noticed = !ioctl(device, FX_IOC_CHECK, &call) && noticed;
			outcome[n] ^= bit;
		}
		if (!noticed)
			json_array_append_new(unnoticed, word_name(n));
	}
	return json_pack("{s:b, s:o}", "good", good, "unnoticed", unnoticed);
}
