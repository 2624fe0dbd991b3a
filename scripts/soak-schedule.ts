// SPDX-License-Identifier: GPL-2.0
/** What a soak does, step by step. The steps follow from the seed alone, whatever the guest answers. */
import type {Point, TargetName} from '../harness/suites/bprobe/agent-protocol.ts';
import {randomFrom} from '../harness/test/random.ts';

/** Targets whose calls all have the patterns of FX_IOC_LOOP, which the verify programs check. */
export type VerifiedTarget = 'asm' | 'asm-fentry';
/** A list is `from` a place among the functions of the kernel, from 0 to below 1, and `size` functions long. */
type List = {readonly point: Point; readonly from: number; readonly size: number};
/** Steps with an id open what the step that ends it has the same id for. */
export type Step =
	| {do: 'loop'; id: number; target: Exclude<TargetName, 'address'>; context: 'task' | 'softirq' | 'hardirq'}
	| {do: 'fork'; id: number; target: VerifiedTarget; kill: boolean}
	| {do: 'churn'; id: number; target: VerifiedTarget; point: Point; by: 'close' | 'thread' | 'kill'}
	| {do: 'verify'; id: number; target: VerifiedTarget; point: Point}
	| ({do: 'list'; id: number} & List)
	| ({do: 'hold'; id: number; singly: boolean} & List)
	/** A call that is under way until its end; with `closes`, its return probe is closed before. */
	| {do: 'wait'; id: number; closes: boolean}
	| {do: 'call'; context: 'task' | 'kthread' | 'softirq' | 'hardirq'}
	| {do: 'end'; id: number}
	| {do: 'reload'};

type Opening = Extract<Step, {id: number}>['do'];
/** How many of each are open at once. At most one call waits, because all end together. */
const most: Readonly<Record<Exclude<Opening, 'end'>, number>> = {
	loop: 3,
	fork: 1,
	churn: 2,
	verify: 12,
	list: 4,
	hold: 2,
	wait: 1,
};
const weights: Readonly<Record<Step['do'], number>> = {
	loop: 6,
	fork: 2,
	churn: 6,
	verify: 20,
	list: 12,
	hold: 6,
	wait: 8,
	call: 8,
	end: 40,
	reload: 1,
};

const urn = Object.entries(weights).flatMap(([what, weight]) => Array<Step['do']>(weight).fill(what as Step['do']));

export function* schedule(seed: number): Generator<Step, never> {
	const random = randomFrom(seed);
	const chance = (share: number) => random() < share;
	const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
	const open = new Map<number, Exclude<Opening, 'end'>>();
	/** What has probes, and ends before the module is reloaded. */
	const probes = new Set<number>();
	const count = (kind: string) => [...open.values()].filter(each => each === kind).length;
	let lastId = 0;

	const points = ['entry', 'return'] as const;
	const verified = ['asm', 'asm-fentry'] as const;
	const list = (): List => ({point: one(points), from: random(), size: 1 + Math.floor(random() ** 2 * 1000)});
	const opening = (what: Exclude<Opening, 'end'>): Step => {
		const id = ++lastId;
		open.set(id, what);
		switch (what) {
			case 'loop': {
				const target = one(['asm', 'asm-fentry', 'c', 'tail', 'tail-fentry'] as const);
				return {do: what, id, target, context: one(['task', 'task', 'softirq', 'hardirq'] as const)};
			}
			case 'fork':
				return {do: what, id, target: one(verified), kill: chance(0.5)};
			case 'churn':
				return {
					do: what,
					id,
					target: one(verified),
					point: one(points),
					by: one(['close', 'thread', 'kill'] as const),
				};
			case 'verify':
				return {do: what, id, target: one(verified), point: one(points)};
			case 'list':
				return {do: what, id, ...list()};
			case 'hold':
				return {do: what, id, singly: chance(0.2), ...list()};
			case 'wait':
				return {do: what, id, closes: chance(0.5)};
		}
	};
	const end = (id: number): Step => {
		open.delete(id);
		probes.delete(id);
		return {do: 'end', id};
	};

	yield opening('loop');
	for (;;) {
		const what = one(urn);
		if (what === 'call') {
			yield {do: what, context: one(['task', 'kthread', 'softirq', 'hardirq'] as const)};
		} else if (what === 'reload') {
			for (const id of [...probes]) yield end(id);
			yield {do: what};
		} else if (what === 'end') {
			// Without a loop, nothing would be called.
			const candidates = [...open].filter(([, kind]) => kind !== 'loop' || count('loop') > 1);
			if (candidates.length > 0) yield end(one(candidates)[0]);
		} else if (count(what) < most[what]) {
			const step = opening(what);
			if (hasProbes(step)) probes.add(lastId);
			yield step;
		}
	}
}

function hasProbes(step: Step): boolean {
	return (
		step.do === 'churn' ||
		step.do === 'verify' ||
		step.do === 'list' ||
		step.do === 'hold' ||
		(step.do === 'wait' && !step.closes)
	);
}
