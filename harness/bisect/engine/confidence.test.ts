// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {type History, histories, historyOf, simulate} from '../../test/simulate-bisects.ts';

/**
 * Trials of a bisect that judges all commits by the failure rate of the bad end and its parent no longer than others;
 * measured with the same histories. Of its results with 95 % confidence, up to 88 % were wrong where a rate rises.
 */
const trialsByOneRate: Readonly<Record<string, number>> = {
	'constant 1': 44,
	'constant 0.5': 94.2,
	'constant 0.3': 188.5,
	'constant 0.2': 315,
};

const times = 1000;

for (const [name, history] of Object.entries(histories)) {
	test(`of ${times} bisects of "${name}", those that are sure are right`, async t => {
		const {right, claimed, claimedWrong, refused, meanTrials} = await simulate(history, {times});
		t.log(`${right} right, ${claimed} sure, ${claimedWrong} of these wrong, ${meanTrials.toFixed(1)} trials`);
		t.true(claimedWrong <= 0.05 * claimed, `${claimedWrong} of ${claimed}`);
		t.true(claimed >= 0.9 * times, `${claimed}`);
		t.true(refused <= 0.02 * times, `${refused}`);
		const before = trialsByOneRate[name];
		if (before !== undefined) t.true(meanTrials <= before + 30, `${meanTrials}`);
	});
}

const fixed: Readonly<Record<string, History>> = {
	'fixed 1': historyOf([0, 1], [40, 0]),
	'fixed 0.2': historyOf([0, 0.2], [40, 0]),
	'falling 1, 0.2, fixed': historyOf([0, 1], [20, 0.2], [40, 0]),
	'rising 0.2, 1, fixed': historyOf([0, 0.2], [30, 1], [40, 0]),
	'fixed, returned 0.3, fixed': historyOf([0, 1], [10, 0], [25, 0.3], [40, 0]),
};

for (const [name, history] of Object.entries(fixed)) {
	test(`of ${times} searches for the fix of "${name}", those that are sure are right`, async t => {
		const {claimed, claimedWrong} = await simulate(history, {times, isFixed: true});
		t.true(claimedWrong <= 0.05 * claimed, `${claimedWrong} of ${claimed}`);
		t.true(claimed >= 0.9 * times, `${claimed}`);
	});
}

test('a bug that shows too rarely for any number of repeats is refused', async t => {
	const {claimed, refused} = await simulate(historyOf([13, 0.03]), {times: 200});
	t.true(refused > 120, `${refused}`);
	t.true(claimed < 50, `${claimed}`);
});

test('a higher confidence is kept, too', async t => {
	const {claimed, claimedWrong} = await simulate(historyOf([13, 0.2], [40, 1]), {times: 500, confidence: 0.99});
	t.true(claimed > 450 && claimedWrong <= 0.01 * claimed, `${claimedWrong} of ${claimed}`);
});
