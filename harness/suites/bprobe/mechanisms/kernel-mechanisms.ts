// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import type {KernelFacts} from '../../../engine/case.ts';
import type {Guest} from '../../../guest/guest.ts';
import type {ProbeInfo} from '../agent-protocol.ts';
import type {Feature} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import type {ProbeMechanism} from './mechanism.ts';

/** What the mechanisms of the kernel need of it, with the release that brought it. */
type Requirement = {
	/** Only what needs this feature. Default: all. */
	readonly feature?: Feature;
	readonly since: readonly [major: number, minor: number];
	readonly what: string;
	/** The option of the kernel without which it is absent. */
	readonly option?: string;
	/** The option is needed only from this release on. */
	readonly optionSince?: readonly [major: number, minor: number];
};

type Options = {
	readonly id: string;
	/** The name of the interface in the agent. */
	readonly by: 'kprobe' | 'kprobe-multi' | 'tracing';
	readonly features: readonly Feature[];
	readonly requires: readonly Requirement[];
};

const registers = ['arguments', 'registers', 'flags', 'place', 'stack-arguments'] as const satisfies readonly Feature[];
const everyFunction = [
	'without-fentry',
	'without-btf',
	'modules',
	'eight-arguments',
] as const satisfies readonly Feature[];

const events = [
	{since: [4, 1], what: 'eBPF programs on kprobes', option: 'CONFIG_KPROBE_EVENTS'},
	{
		feature: 'without-fentry',
		since: [4, 1],
		what: 'kprobe events on functions without a __fentry__ site',
		option: 'CONFIG_KPROBE_EVENTS_ON_NOTRACE',
		optionSince: [4, 19],
	},
	{feature: 'cookies', since: [5, 15], what: 'cookies of programs on perf events'},
	{feature: 'misses', since: [6, 7], what: 'counts of the misses of kprobes and their programs'},
] as const satisfies readonly Requirement[];

/** A breakpoint, or on a `__fentry__` site ftrace, through a perf event; on Linux before 4.17 one of tracefs. */
export const kprobe = hookMechanism({
	id: 'kprobe',
	by: 'kprobe',
	features: ['entry', 'call-stack', ...registers, ...everyFunction, 'cookies', 'shared-programs', 'misses'],
	requires: events,
});

/** The return half of kprobe: replaces the return address. With a maxactive of one's own it is an event of tracefs. */
export const kretprobe = hookMechanism({
	id: 'kretprobe',
	by: 'kprobe',
	features: [
		'return',
		'return-value',
		'registers',
		'flags',
		'place',
		'call-stack',
		...everyFunction,
		'cookies',
		'shared-programs',
		'maxactive',
		'misses',
	],
	requires: [...events, {feature: 'maxactive', since: [4, 12], what: 'a maxactive in kprobe_events'}],
});

/**
 * kprobe.multi: fprobe, which is ftrace for the entry, and rethook or the function graph tracer for the return. Programs
 * that need a session get one.
 */
export const kprobeMulti = hookMechanism({
	id: 'kprobe-multi',
	by: 'kprobe-multi',
	features: [
		'entry',
		'return',
		'return-value',
		'call-stack',
		...registers,
		'without-btf',
		'modules',
		'eight-arguments',
		'cookies',
		'shared-programs',
		'session',
		'misses',
	],
	requires: [
		{since: [5, 18], what: 'BPF_TRACE_KPROBE_MULTI', option: 'CONFIG_FPROBE'},
		{feature: 'session', since: [6, 10], what: 'BPF_TRACE_KPROBE_SESSION'},
		{feature: 'misses', since: [6, 7], what: 'counts of the misses of kprobe-multi and its programs'},
	],
});

const trampoline = [
	{since: [5, 5], what: 'BPF trampolines', option: 'CONFIG_DEBUG_INFO_BTF'},
	{feature: 'modules', since: [5, 11], what: 'BTF of modules', option: 'CONFIG_DEBUG_INFO_BTF_MODULES'},
	{feature: 'eight-arguments', since: [6, 6], what: 'BPF trampolines for more than six arguments'},
	{feature: 'cookies', since: [6, 0], what: 'cookies of programs on BPF trampolines'},
	{feature: 'misses', since: [5, 12], what: 'counts of the misses of programs on BPF trampolines'},
] as const satisfies readonly Requirement[];

/** A BPF trampoline at the entry, by BTF. */
export const fentry = hookMechanism({
	id: 'fentry',
	by: 'tracing',
	features: ['entry', 'arguments', 'stack-arguments', 'modules', 'eight-arguments', 'cookies', 'misses'],
	requires: trampoline,
});

/** A BPF trampoline that calls the function itself and then the program. */
export const fexit = hookMechanism({
	id: 'fexit',
	by: 'tracing',
	features: [
		'return',
		'return-value',
		'arguments-at-return',
		'stack-arguments',
		'modules',
		'eight-arguments',
		'cookies',
		'misses',
	],
	requires: trampoline,
});

function hookMechanism({id, by, features, requires}: Options): ProbeMechanism {
	return {
		id,
		features: new Set<Feature>(['programs', ...features]),
		missing(kernel, needs) {
			const asked = requires.filter(({feature}) => feature === undefined || needs.includes(feature));
			return asked.map(each => absence(kernel, each)).find(words => words !== undefined);
		},
		churned: async ({program, has}) => ({mechanism: by, program, cookies: has('cookies')}),
		async attach(ask, {program, point, address, cookie, sharing, maxactive, has}) {
			assert.ok(typeof program === 'string', 'programs of the kernel mechanisms are loaded by name');
			const mechanism = program === 'session' ? 'kprobe-session' : by;
			const {hook} = await ask('hook', {
				mechanism,
				program,
				point,
				address,
				cookie,
				cookies: has('cookies'),
				...(sharing !== undefined && {sharing}),
				...(maxactive !== undefined && {maxactive}),
			});
			return {
				handle: hook,
				async info() {
					const {count, bad} = await ask('counters', {cookie});
					const misses = has('misses') ? await missesOf(ask, hook, by) : {};
					return {hits: count + bad, misses};
				},
				detach: async () => (await ask('unhook', {hook})).closedNs,
			};
		},
	};
}

/** A trampoline counts the recursion of its program; kprobes and their like, that a program ran already on the CPU. */
async function missesOf(ask: Guest['ask'], hook: number, by: Options['by']): Promise<ProbeInfo['misses']> {
	const {byProgram, byLink} = await ask('hookMisses', {hook});
	return by === 'tracing' ? {recursion: byProgram} : {bpfBusy: byProgram, beforeProgram: byLink};
}

function absence(kernel: KernelFacts, {since, what, option, optionSince = since}: Requirement): string | undefined {
	if (isBefore(kernel, ...since)) return `Linux has ${what} since ${since.join('.')}.`;
	const isOptional = option === undefined || isBefore(kernel, ...optionSince) || kernel.hasOption(option);
	return isOptional ? undefined : `This kernel was built without ${option}, which ${what} need.`;
}
