// SPDX-License-Identifier: GPL-2.0
import type {Attempt} from '../bisect/engine/attempt.ts';
import type {Candidate, TestBench} from '../bisect/engine/candidate.ts';
import {Journal} from '../bisect/engine/journal.ts';
import {bisect} from '../bisect/engine/search.ts';
import {ReleaseRange} from '../bisect/kinds/release-range.ts';
import {UsageError} from '../host/errors.ts';
import {randomFrom} from './random.ts';

/** How often each commit of a history fails, from 0 (good) to 1. The first is good, the last bad. */
export type History = readonly number[];

const commits = 60;

/** A history from the rates that begin at these commits. */
export function historyOf(...parts: readonly (readonly [from: number, rate: number])[]): History {
	return Array.from({length: commits}, (_, commit) => parts.findLast(([from]) => from <= commit)?.[1] ?? 0);
}

/** How many bisects of one history ended in which way. */
export type Count = {
	/** A commit that brings the bug. */
	readonly right: number;
	/** Those, and others, of which it was claimed that they are right. */
	readonly claimed: number;
	readonly claimedWrong: number;
	/** Ended with a reason instead of a result. */
	readonly refused: number;
	readonly meanTrials: number;
	/** Commits that had to be built. */
	readonly meanBuilds: number;
};

/** Bisects a history many times, with other random numbers each time. */
export async function simulate(
	history: History,
	{times, confidence = 0.95, isFixed = false}: {times: number; confidence?: number; isFixed?: boolean},
): Promise<Count> {
	let [right, claimed, claimedWrong, refused, trials, builds] = [0, 0, 0, 0, 0, 0];
	for (let seed = 1; seed <= times; seed++) {
		const bench = new SimulatedBench(history, seed);
		const end = await bisectOnce(history, bench, {confidence, isFixed});
		trials += bench.trials;
		builds += bench.built.size;
		if (end === undefined) refused++;
		else {
			if (end.isRight) right++;
			if (end.isClaimed) claimed++;
			if (end.isClaimed && !end.isRight) claimedWrong++;
		}
	}
	return {right, claimed, claimedWrong, refused, meanTrials: trials / times, meanBuilds: builds / times};
}

type End = {readonly isRight: boolean; readonly isClaimed: boolean};

async function bisectOnce(
	history: History,
	testBench: TestBench,
	{confidence, isFixed}: {confidence: number; isFixed: boolean},
): Promise<End | undefined> {
	const range = new ReleaseRange(history.map((_, commit) => ({id: `${commit}`, title: `c${commit}`, cost: 'cached'})));
	using journal = new Journal();
	try {
		const options = {stage: 'commits', range, testBench, journal, confidence, isFixed, isAnyFailure: false};
		const {finding, judge} = await bisect(options);
		const [suspect, ...others] = finding.suspects;
		if (!suspect || others.length > 0) return {isRight: false, isClaimed: false};
		const found = Number(suspect.id);
		const parent = await judge.judge('parent', {id: `${found - 1}`, title: `c${found - 1}`});
		const commit = await judge.judge('commit', suspect);
		return {
			isRight: history[found]! > 0 !== isFixed && history[found - 1]! > 0 === isFixed,
			isClaimed:
				finding.confidence >= confidence &&
				parent.verdict === (isFixed ? 'bad' : 'good') &&
				commit.verdict === (isFixed ? 'good' : 'bad'),
		};
	} catch (error) {
		if (error instanceof UsageError) return undefined;
		throw error;
	}
}

/** Fails as often as the history says, by a generator whose numbers a seed decides. */
class SimulatedBench implements TestBench {
	readonly built = new Set<string>();
	trials = 0;
	readonly #history: History;
	readonly #random: () => number;

	constructor(history: History, seed: number) {
		this.#history = history;
		this.#random = randomFrom(seed);
	}

	async prepare({id}: Candidate) {
		const isReused = this.built.has(id);
		this.built.add(id);
		return {fingerprint: id, isReused};
	}

	async ask({id}: Candidate, repeats: number): Promise<readonly Attempt[]> {
		this.trials += repeats;
		return Array.from({length: repeats}, () =>
			this.#random() < this.#history[Number(id)]! ? {end: 'fail', symptoms: ['the bug']} : {end: 'pass', symptoms: []},
		);
	}
}

/** One history of each kind; a bug comes at 13 in all. */
export const histories: Readonly<Record<string, History>> = {
	'constant 1': historyOf([13, 1]),
	'constant 0.5': historyOf([13, 0.5]),
	'constant 0.3': historyOf([13, 0.3]),
	'constant 0.2': historyOf([13, 0.2]),
	'rising 0.5, 1': historyOf([13, 0.5], [40, 1]),
	'rising 0.3, 1': historyOf([13, 0.3], [40, 1]),
	'rising 0.2, 1': historyOf([13, 0.2], [40, 1]),
	'rising 0.2, 0.5, 1': historyOf([13, 0.2], [25, 0.5], [40, 1]),
	'rising late 0.2, 1': historyOf([13, 0.2], [58, 1]),
	'rising 0.1, 1': historyOf([13, 0.1], [40, 1]),
	'falling 1, 0.3': historyOf([13, 1], [40, 0.3]),
	'falling 0.5, 0.2': historyOf([13, 0.5], [40, 0.2]),
	'mended, returned 1': historyOf([13, 1], [20, 0], [36, 1]),
	'mended, returned 0.3, 1': historyOf([13, 0.3], [20, 0], [36, 0.3], [48, 1]),
	'returned twice 0.2, 0.5, 1': historyOf([13, 0.2], [18, 0], [29, 0.5], [33, 0], [44, 1]),
};

/** The table of all histories, as lines. */
export async function simulationTable(times: number): Promise<string> {
	const cells = (words: readonly string[]) =>
		words.map((word, column) => (column === 0 ? word.padEnd(27) : word.padStart(13))).join('');
	const lines = [cells(['of 100 bisects', 'right', 'claimed', 'claim wrong', 'refused', 'mean trials', 'mean builds'])];
	for (const [name, history] of Object.entries(histories)) {
		const {meanTrials, meanBuilds, ...counts} = await simulate(history, {times});
		const {right, claimed, claimedWrong, refused} = counts;
		const shares = [right, claimed, claimed === 0 ? 0 : (claimedWrong * times) / claimed, refused].map(count =>
			((100 * count) / times).toFixed(1),
		);
		lines.push(cells([name, ...shares, meanTrials.toFixed(1), meanBuilds.toFixed(1)]));
	}
	return `${lines.join('\n')}\n`;
}
