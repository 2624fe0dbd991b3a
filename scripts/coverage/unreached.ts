// SPDX-License-Identifier: GPL-2.0
/**
 * Lines of kmod/ that no case executes on 4.15.18, 4.15.18+nopreempt, debian-6.1 and debian-6.12 together, with the
 * reason.
 */
export type Unreached = {
	readonly file: string;
	/** Lines without white space around them, or `function NAME` for all that are left of one. */
	readonly lines: readonly string[];
	readonly reason: string;
	/** It takes a moment that a case may meet, or not. */
	readonly isChance?: true;
};

const hidden =
	'Only for kernels from 4.19 on that hide their guard of programs; 4.15.18+nopreempt is the only one that does.';
const dying =
	'A parent must reap the task, and an RCU grace period end, while the task is between exit_notify() and its last switch.';
const between =
	'A task must be between two states in the moment of a sweep, with a tail call, or dead with calls in flight.';
const lostFrame = 'The frame of a call is lost, which is a bug of this module or a return that nobody called.';
const unfoundSymbol = 'Only for a kernel that lacks a function which all kernels from 4.15 on have.';

export const unreached: readonly Unreached[] = [
	{
		file: 'anchor.c',
		lines: ['function bprobe_anchor'],
		reason: 'Nothing calls it: it stands in the filter of an ftrace_ops, which must not be empty.',
	},
	{file: 'compat.h', lines: ['array->items[0].prog = prog;'], reason: hidden},
	{
		file: 'run.c',
		lines: ['trace_call_bpf_address = bp_resolve("trace_call_bpf");', 'if (!trace_call_bpf_address)'],
		reason: hidden,
	},
	{
		file: 'compat.h',
		lines: ['return true;'],
		reason: 'A program that overrides returns needs CONFIG_BPF_KPROBE_OVERRIDE, which no kernel here has.',
	},
	{
		file: 'descriptor.c',
		lines: ['return -EFAULT;'],
		reason: 'The request lies in memory that can be read but not written.',
	},
	{file: 'device.c', lines: ['return err;'], reason: unfoundSymbol},
	{file: 'resolve.c', lines: ['return -ENXIO;'], reason: unfoundSymbol},
	{
		file: 'entry.c',
		lines: ['return;'],
		reason: 'A function that runs without RCU must be hit inside of a handler on the same CPU.',
	},
	{
		file: 'keep.c',
		lines: ['function bp_keep_exit'],
		reason:
			'Another tracer must be taking over a return address in the moment of the last sweep, or the unload be forced.',
	},
	{file: 'frame.c', lines: ['function bp_frame_at'], reason: lostFrame},
	{
		file: 'return.c',
		lines: ['panic("bprobe: %s[%d] returned through the trampoline without a frame at %px\\n",'],
		reason: lostFrame,
	},
	{
		file: 'sweep.c',
		lines: ['function finish', 'function sweep_task', 'function sweep_all'],
		reason: between,
		isChance: true,
	},
	{
		file: 'task.c',
		lines: ['schedule_timeout_uninterruptible(1);'],
		reason:
			'Before 5.11, with another probe on the tracepoint, memory must be short; then a kernel before 4.17 warns by itself.',
	},
	{
		file: 'task.c',
		lines: ['function hold', 'function claim_dying', 'function bury', 'function task_freed', 'function bp_tasks_exit'],
		reason: dying,
		isChance: true,
	},
];
