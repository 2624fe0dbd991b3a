// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Attempt} from './attempt.ts';
import {HostFaultError} from './candidate.ts';
import {firstMeasure} from './repeats.ts';
import {sampleUntil, sampleVerdict} from './sampling.ts';

const attempt = (end: Attempt['end']): Attempt => ({
	...{end, symptoms: end === 'fail' ? ['it'] : []},
	...(end !== 'pass' && {message: `a ${end}`}),
});

/** A candidate whose attempts end so, one after the other, and then like the last. */
function sampling(ends: readonly Attempt['end'][], {known = []}: {known?: readonly Attempt['end'][]} = {}) {
	const asked: number[] = [];
	const left = [...ends];
	return {
		asked,
		candidate: {id: 'c', title: 'commit c'},
		known: known.map(attempt),
		async ask(times: number) {
			asked.push(times);
			return Array.from({length: times}, () => attempt(left.length > 1 ? left.shift()! : left[0]!));
		},
	};
}

test('attempts are run as often as is wanted, after those that are known', async t => {
	const given = sampling(['pass', 'fail', 'pass'], {known: ['fail', 'pass']});
	const seen: number[] = [];
	const attempts = await sampleUntil(given, sofar => {
		seen.push(sofar.length);
		return sofar.length < 3 ? 1 : sofar.length < 5 ? 2 : 0;
	});
	t.deepEqual(given.asked, [1, 2]);
	t.deepEqual(seen, [2, 3, 5]);
	t.deepEqual(
		attempts.map(({end}) => end),
		['fail', 'pass', 'pass', 'fail', 'pass'],
	);
	const enough = sampling(['pass'], {known: ['fail']});
	t.is((await sampleUntil(enough, () => 0)).length, 1);
	t.deepEqual(enough.asked, []);
});

test('no answer at all is a fault of the host', async t => {
	const silent = {...sampling(['pass']), ask: async () => []};
	await t.throwsAsync(
		sampleUntil(silent, () => 4),
		{instanceOf: HostFaultError, message: 'commit c gives no answer to 4 repeats.'},
	);
});

for (const end of ['void', 'skip'] as const)
	test(`when nothing but ${end} comes, it is given up`, async t => {
		const given = sampling([end]);
		await t.throwsAsync(
			sampleUntil(given, () => 1),
			{
				instanceOf: HostFaultError,
				message: `commit c gives no verdict in ${2 * firstMeasure} repeats: a ${end}`,
			},
		);
		t.is(given.asked.length, 2 * firstMeasure);
	});

test('one that passes or fails among others is an answer, and the count begins again', async t => {
	const ends = Array.from({length: 3 * firstMeasure}, (_, n) => (n === firstMeasure ? 'pass' : 'void'));
	const given = sampling(ends);
	await t.throwsAsync(
		sampleUntil(given, () => 1),
		{instanceOf: HostFaultError},
	);
	t.is(given.asked.length, firstMeasure + 1 + 2 * firstMeasure);
});

test('a verdict is that of as many attempts as decide it', async t => {
	const options = {repeats: 3, symptomsOf: () => new Set(['it'])};
	const good = await sampleVerdict(sampling(['pass']), options);
	t.deepEqual([good.verdict, good.attempts.length], ['good', 3]);
	const bad = await sampleVerdict(sampling(['pass', 'fail']), options);
	t.is(bad.verdict, 'bad');
	const skip = await sampleVerdict(sampling(['skip']), options);
	t.is(skip.verdict, 'skip');
	await t.throwsAsync(sampleVerdict(sampling(['void']), options), {instanceOf: HostFaultError});
});
