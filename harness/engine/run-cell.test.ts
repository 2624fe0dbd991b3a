// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {CrashDetector, findKernelReports} from '../crash/crash-detector.ts';
import {GuestWatch} from '../guest/guest-watch.ts';
import {AgentError, LinkLostError} from '../host/errors.ts';
import {FakeGuest, fakeCell, fakeSuite} from '../test/fake-guest.ts';
import {keepAlive} from '../test/keep-alive.ts';
import {runCell} from './run-cell.ts';
import type {Mechanism, Suite} from './suite.ts';

const {signal} = new AbortController();
keepAlive();

const clean = {taint: 0, left: []};
const oops = '[    1.5] BUG: unable to handle page fault for address: ffffffffdeadbeef';

test('a case that returns passes, and the guest can be used again', async t => {
	const outcome = await runCell(
		fakeCell(async () => {}),
		new FakeGuest(),
		{signal},
	);
	t.like(outcome, {verdict: 'pass', isGuestDirty: false});
	t.is(outcome.console, undefined);
});

test('a failed assertion is a failure with its error, evidence and console', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async context => {
		context.evidence('seen', 7);
		guest.say('hello from the kernel');
		assert.equal(7, 8, 'seven is not eight');
	});
	const outcome = await runCell(cell, guest, {signal});
	t.like(outcome, {verdict: 'fail', evidence: {seen: 7}, consolePath: guest.console.path, isGuestDirty: false});
	t.true(outcome.error instanceof assert.AssertionError);
	t.regex(outcome.message ?? '', /^seven is not eight/);
	t.regex(outcome.console ?? '', /hello from the kernel/);
});

test('an operation refused by the agent is a failure', async t => {
	const refused = new AgentError('attach', {errno: 'EBUSY', message: 'no'});
	t.is(
		(
			await runCell(
				fakeCell(() => Promise.reject(refused)),
				new FakeGuest(),
				{signal},
			)
		).verdict,
		'fail',
	);
});

test('a kernel report is a crash, however the case ends', async t => {
	for (const end of [() => {}, () => assert.fail('no'), () => assert.fail(new LinkLostError('gone'))]) {
		const guest = new FakeGuest();
		const cell = fakeCell(async () => {
			guest.say(oops);
			end();
		});
		const outcome = await runCell(cell, guest, {signal});
		t.like(outcome, {verdict: 'crash', isGuestDirty: true});
		t.regex(outcome.message ?? '', /^BUG: unable to handle page fault/);
	}
});

test('a kernel report after the end of a cell is kept and marked as late', async t => {
	const guest = new FakeGuest();
	t.is(
		(
			await runCell(
				fakeCell(async () => {}),
				guest,
				{signal},
			)
		).verdict,
		'pass',
	);
	guest.say(oops);
	await guest.console.refresh();
	const outcome = await runCell(
		fakeCell(async () => {}),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'crash', isReportLate: true, isGuestDirty: true});
});

test('after a kernel report that comes when a case has passed, the guest is not used again', async t => {
	const guest = new FakeGuest();
	const {waitForLine} = guest.console;
	// The end of the case is looked for in the console after it has been judged by the agent.
	guest.console.waitForLine = async (...options) => {
		guest.say(oops);
		return waitForLine(...options);
	};
	const outcome = await runCell(
		fakeCell(async () => {}),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'crash', isGuestDirty: true});
});

test('a case that misses its deadline hangs, and its signal is aborted', async t => {
	let isAborted = false;
	const cell = fakeCell(
		async context => {
			context.signal.addEventListener('abort', () => {
				isAborted = true;
			});
			await new Promise(() => {});
		},
		{deadlineMs: 30},
	);
	const outcome = await runCell(cell, new FakeGuest(), {signal});
	t.like(outcome, {verdict: 'hang', isGuestDirty: true});
	t.true(isAborted);
});

test('deadlines are longer in a slow guest', async t => {
	const cell = fakeCell(() => sleep(200), {deadlineMs: 100});
	t.is((await runCell(cell, Object.assign(new FakeGuest(), {slowness: 1000}), {signal})).verdict, 'pass');
	t.is((await runCell(cell, Object.assign(new FakeGuest(), {slowness: 1}), {signal})).verdict, 'hang');
});

test('the longest deadlines do not overflow a timer in a slow guest', async t => {
	const cell = fakeCell(() => sleep(50), {deadlineMs: 2 ** 31 - 1});
	t.is((await runCell(cell, Object.assign(new FakeGuest(), {slowness: 3}), {signal})).verdict, 'pass');
});

for (const verdict of ['crash', 'hang', 'infra'] as const) {
	test(`a guest whose end means ${verdict} ends its cell at once with that verdict`, async t => {
		const guest = new FakeGuest();
		const cell = fakeCell(async () => {
			guest.end({verdict, message: 'it ended'});
			await new Promise(() => {});
		});
		const outcome = await runCell(cell, guest, {signal});
		t.like(outcome, {verdict, message: 'it ended', isGuestDirty: true});
	});
}

test('a lost link is judged by how the guest ended', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async () => {
		guest.end({verdict: 'crash', message: 'it reset'});
		throw new LinkLostError('the connection ended');
	});
	t.like(await runCell(cell, guest, {signal}), {verdict: 'crash', message: 'it reset'});
});

test('a race that proves nothing is inconclusive', async t => {
	const outcome = await runCell(
		fakeCell(async context => context.inconclusive('2 of 3')),
		new FakeGuest(),
		{signal},
	);
	t.like(outcome, {verdict: 'inconclusive', message: '2 of 3', isGuestDirty: false});
});

test('a skipped case gives its reason', async t => {
	const outcome = await runCell(
		fakeCell(async context => context.skip('no such thing here')),
		new FakeGuest(),
		{signal},
	);
	t.like(outcome, {verdict: 'skip', message: 'no such thing here', isGuestDirty: false});
});

test('a case that needs a missing feature is skipped without contacting the guest', async t => {
	const guest = new FakeGuest();
	const outcome = await runCell(
		fakeCell(async () => {}, {needs: ['entry', 'library']}),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'skip', message: 'fake does not claim library.'});
	t.deepEqual(guest.asked, []);
});

test('a target may need more of the mechanism than the case does', async t => {
	const suite: Suite = {...fakeSuite, targetNeeds: target => (target === 'asm' ? ['without-fentry'] : [])};
	const outcomeOf = async (target: string) => {
		const cell = {...fakeCell(async () => {}), target, suite};
		return runCell(cell, new FakeGuest(), {signal});
	};
	t.like(await outcomeOf('asm'), {verdict: 'skip', message: 'fake does not claim without-fentry.'});
	t.like(await outcomeOf('c'), {verdict: 'pass'});
});

test('a mechanism that the kernel does not have is skipped with the reason, without contacting the guest', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(() => assert.fail('it ran'));
	const asked: unknown[] = [];
	const missing: Mechanism['missing'] = ({release}, features) => {
		asked.push(release, features);
		return 'Linux has it since 9.9.';
	};
	const outcome = await runCell({...cell, mechanismUsed: {...cell.mechanismUsed, missing}}, guest, {signal});
	t.like(outcome, {verdict: 'skip', message: 'Linux has it since 9.9.'});
	t.deepEqual(asked, [guest.release, ['entry']]);
	t.deepEqual(guest.asked, []);

	const features = new Set(['entry', 'without-fentry']);
	const suite: Suite = {...fakeSuite, targetNeeds: () => ['without-fentry']};
	const ofTarget = {...cell, target: 'asm', suite, mechanismUsed: {...cell.mechanismUsed, features, missing}};
	await runCell(ofTarget, guest, {signal});
	t.deepEqual(asked.at(-1), ['entry', 'without-fentry'], 'with what the target needs');
});

const listed = (sometimes: boolean, report?: string): Suite => ({
	...fakeSuite,
	knownFailing: ({case: id}) => (id === 'fake/case' ? {reason: 'It never worked.', sometimes, report} : undefined),
});

test('a failure that the suite lists is known, with its evidence and console', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async context => {
		context.evidence('seen', 7);
		guest.say('hello from the kernel');
		assert.fail('seven is not eight');
	});
	const outcome = await runCell({...cell, suite: listed(false)}, guest, {signal});
	t.like(outcome, {verdict: 'known', message: 'It never worked.\nseven is not eight', evidence: {seen: 7}});
	t.regex(outcome.console ?? '', /hello from the kernel/);
	const other = await runCell({...cell, case: 'fake/other', suite: listed(false)}, new FakeGuest(), {signal});
	t.is(other.verdict, 'fail');
});

test('a crash is a crash even where a failure is known', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async () => {
		guest.say(oops);
		assert.fail('no');
	});
	t.is((await runCell({...cell, suite: listed(false)}, guest, {signal})).verdict, 'crash');
});

test('a crash is known only by the title of its report, and needs a new guest', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async () => {
		guest.say(oops);
		await guest.console.refresh();
	});
	const {title} = findKernelReports(oops)[0]!;
	const outcome = await runCell({...cell, suite: listed(true, title)}, guest, {signal});
	t.like(outcome, {verdict: 'known', isGuestDirty: true, report: undefined, console: oops.trim()});
	t.is(outcome.message, `It never worked.\n${title}`);
	const other = await runCell({...cell, suite: listed(true, 'WARNING in it')}, guest, {signal});
	t.is(other.verdict, 'crash');
	const failure = fakeCell(async () => assert.fail('no'));
	t.is((await runCell({...failure, suite: listed(true, title)}, new FakeGuest(), {signal})).verdict, 'fail');
});

test('a cell that passes though it is listed says so, unless it fails only sometimes', async t => {
	const cell = fakeCell(async () => {});
	const always = await runCell({...cell, suite: listed(false)}, new FakeGuest(), {signal});
	t.like(always, {verdict: 'pass', message: 'It is listed as a known failing, but passes: It never worked.'});
	const sometimes = await runCell({...cell, suite: listed(true)}, new FakeGuest(), {signal});
	t.is(sometimes.verdict, 'pass');
	t.is(sometimes.message, undefined);
});

test('a case that leaves probes or waiting tasks behind fails', async t => {
	for (const left of ['1 probes are still attached', '2 tasks still wait']) {
		const guest = new FakeGuest();
		guest.states = [clean, {...clean, left: [left]}];
		const outcome = await runCell(
			fakeCell(async () => {}),
			guest,
			{signal},
		);
		t.like(outcome, {verdict: 'fail', isGuestDirty: true});
		t.is(outcome.message, `${left} after the case.`);
	}
});

test('a guest in which a failed case left something is not used again', async t => {
	for (const left of [[], ['1 probes are still attached']]) {
		const guest = new FakeGuest();
		guest.states = [clean, {...clean, left}];
		const outcome = await runCell(
			fakeCell(async () => assert.fail('wrong')),
			guest,
			{signal},
		);
		t.like(outcome, {verdict: 'fail', message: 'wrong', isGuestDirty: left.length > 0});
	}
});

test('an out-of-tree taint is ignored; the taint of a warning is a crash even if the console is silent', async t => {
	for (const [taint, verdict] of [
		[1 << 12, 'pass'],
		[1 << 9, 'crash'],
		[1 << 7, 'crash'],
	] as const) {
		const guest = new FakeGuest();
		guest.states = [clean, {...clean, taint}];
		t.is(
			(
				await runCell(
					fakeCell(async () => {}),
					guest,
					{signal},
				)
			).verdict,
			verdict,
		);
	}
});

test('a cell is not charged with a taint from before it', async t => {
	const guest = new FakeGuest();
	guest.states = [{...clean, taint: 1 << 9}];
	t.is(
		(
			await runCell(
				fakeCell(async () => {}),
				guest,
				{signal},
			)
		).verdict,
		'pass',
	);
});

test('a bug in a case is infra, with its stack', async t => {
	const outcome = await runCell(
		fakeCell(() => Promise.reject(new TypeError('x is not a function'))),
		new FakeGuest(),
		{
			signal,
		},
	);
	t.like(outcome, {verdict: 'infra', isGuestDirty: true});
	t.regex(outcome.message ?? '', /TypeError: x is not a function\n +at /);
});

test('runCell never throws, whatever the case throws', async t => {
	for (const thrown of [undefined, null, 'text', 7, {}]) {
		const outcome = await runCell(
			fakeCell(() => Promise.reject(thrown)),
			new FakeGuest(),
			{signal},
		);
		t.not(outcome.verdict, 'pass', typeof thrown);
	}
});

test('a case that says that the kernel lacks something is skipped before anything is asked of the guest', async t => {
	for (const [missing, verdict] of [
		[({release}: {release: string}) => `Linux ${release} has no such thing.`, 'skip'],
		[() => undefined, 'pass'],
	] as const) {
		const guest = new FakeGuest();
		const outcome = await runCell(
			fakeCell(async () => {}, {missing}),
			guest,
			{signal},
		);
		t.is(outcome.verdict, verdict);
		if (verdict === 'skip') t.like(outcome, {message: 'Linux 6.1.0-fake has no such thing.', isGuestDirty: false});
		t.is(guest.asked.length === 0, verdict === 'skip');
	}
});

test('the actions of a case are undone in reverse order, also after a failure', async t => {
	const guest = new FakeGuest();
	const suite: Suite = {
		...fakeSuite,
		open({ask, undo}) {
			undo(() => ask('unload', {prog: 1}));
			undo(() => ask('stopJob', {job: 1}));
			return {};
		},
	};
	await runCell({...fakeCell(() => Promise.reject(new assert.AssertionError({message: 'no'}))), suite}, guest, {
		signal,
	});
	t.deepEqual(guest.asked, ['mark', 'reset', 'release', 'stopJob', 'unload', 'mark']);
});

test('what cannot be undone hinders neither the rest nor the verdict', async t => {
	const undone: number[] = [];
	const suite: Suite = {
		...fakeSuite,
		open({undo}) {
			for (const n of [1, 2, 3])
				undo(async () => {
					undone.push(n);
					if (n === 2) throw new AgentError('close', {errno: 'EBADF', message: 'no'});
				});
			return {};
		},
	};
	const fails = fakeCell(() => Promise.reject(new assert.AssertionError({message: 'the check'})));
	t.like(await runCell({...fails, suite}, new FakeGuest(), {signal}), {verdict: 'fail', message: 'the check'});
	t.deepEqual(undone, [3, 2, 1]);
	const passes = await runCell({...fakeCell(async () => {}), suite}, new FakeGuest(), {signal});
	t.is(passes.verdict, 'fail');
	t.regex(passes.message ?? '', /EBADF/);
});

test('a kernel report ends the case at once', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(
		async () => {
			guest.say(oops);
			await new Promise(() => {});
		},
		{deadlineMs: 60_000},
	);
	const outcome = await runCell(cell, guest, {signal});
	t.like(outcome, {verdict: 'crash', isReportLate: false});
	// Well before its deadline of 60 s, even on a busy host.
	t.true(outcome.durationMs < 30_000);
});

test('a leak does not end the scan that finds it', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async context => {
		guest.say('[    1.5] kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)');
		context.evidence('hasEnded', context.signal.aborted);
	});
	t.like(await runCell(cell, guest, {signal}), {verdict: 'crash', evidence: {hasEnded: false}});
});

test('a kernel that reports a stall is a hang', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async () => {
		guest.say('[    9.029243] rcu: INFO: rcu_preempt self-detected stall on CPU');
		guest.say('[    9.031135] RIP: 0010:fx_spin+0x11/0x20 [fixtures]');
		await new Promise(() => {});
	});
	const outcome = await runCell(cell, guest, {signal});
	t.like(outcome, {verdict: 'hang', message: 'INFO: rcu_preempt stall in fx_spin [fixtures]'});
});

test('a kernel that panics because of a stall is a crash', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(async () => {
		guest.say('[    9.029243] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [agent:87]');
		guest.say('[    9.031135] RIP: 0010:fx_spin+0x11/0x20 [fixtures]');
		guest.say('[    9.033021] Kernel panic - not syncing: softlockup: hung tasks');
		await new Promise(() => {});
	});
	const outcome = await runCell(cell, guest, {signal});
	t.like(outcome, {verdict: 'crash', message: 'BUG: soft lockup in fx_spin [fixtures]'});
});

test('after a missed deadline there is no wait for reports if the guest answers', async t => {
	const guest = Object.assign(new FakeGuest(), {bootMs: 3333});
	const cell = fakeCell(() => new Promise(() => {}), {deadlineMs: 30});
	const startedAt = performance.now();
	t.is((await runCell(cell, guest, {signal})).verdict, 'hang');
	// The engine would wait 14 s for a silent guest.
	t.true(performance.now() - startedAt < 10_000);
});

test('a silent guest gets time to report why it hangs', async t => {
	const guest = new FakeGuest();
	const cell = fakeCell(
		async () => {
			guest.fallSilent();
			setTimeout(() => guest.say('[    9.1] watchdog: BUG: soft lockup - CPU#0 stuck for 6s! [agent:7]'), 900);
			await new Promise(() => {});
		},
		{deadlineMs: 100},
	);
	const outcome = await runCell(cell, guest, {signal});
	t.like(outcome, {verdict: 'hang', message: 'BUG: soft lockup'});
});

test.serial('a silent guest that is slow has more time to report why it hangs', async t => {
	const {now} = performance;
	let passedMs = 0;
	performance.now = () => now.call(performance) + passedMs;
	t.teardown(() => {
		performance.now = now;
	});
	const guest = Object.assign(new FakeGuest(), {slowness: 20});
	const {ask, console} = guest;
	const {waitForLine} = console;
	let isGivenUp = false;
	console.waitForLine = async (...options) => {
		isGivenUp = true;
		return waitForLine(...options);
	};
	const report = () => {
		if (!isGivenUp) guest.say('[    9.1] watchdog: BUG: soft lockup - CPU#0 stuck for 6s! [agent:7]');
	};
	guest.ask = (async (op: 'mark', request: {text: string}) => {
		if ((op as string) !== 'clock') return ask(op, request);
		// After the case has missed its deadline. The kernel of a fast guest would have reported its stall by now.
		passedMs = 100_000;
		setTimeout(report, 300);
		throw new LinkLostError('no answer');
	}) as typeof ask;
	const outcome = await runCell(
		fakeCell(() => new Promise(() => {}), {deadlineMs: 2}),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'hang', message: 'BUG: soft lockup'});
});

test('a hung guest is examined before it is discarded, and the result may clear the case', async t => {
	for (const verdict of ['hang', 'infra'] as const) {
		const guest = Object.assign(new FakeGuest(), {
			examine: async () => ({verdict, words: 'CPU 0 is in f.', evidence: {cpus: ['f+0x1']}}),
		});
		const outcome = await runCell(
			fakeCell(() => new Promise(() => {}), {deadlineMs: 30}),
			guest,
			{signal},
		);
		t.like(outcome, {verdict, evidence: {cpus: ['f+0x1']}, isGuestDirty: true});
		t.regex(outcome.message ?? '', /^Timed out after .*\nCPU 0 is in f\.$/);
	}
});

test('a crash detector that fails makes the cell infra', async t => {
	const guest = new FakeGuest();
	class Broken extends CrashDetector {
		override push(): void {
			throw new RangeError('no such line');
		}
	}
	GuestWatch.of(guest, () => new Broken());
	const outcome = await runCell(
		fakeCell(async () => guest.say('all is well')),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'infra', isGuestDirty: true});
	t.regex(outcome.message ?? '', /the detector failed: RangeError: no such line/);
});

test('what a suite finds left in the guest fails the case', async t => {
	const suite: Suite = {...fakeSuite, leftovers: async () => ['one file is open', 'one task sleeps']};
	const outcome = await runCell({...fakeCell(async () => {}), suite}, new FakeGuest(), {signal});
	t.like(outcome, {
		verdict: 'fail',
		message: 'one file is open, and one task sleeps after the case.',
		isGuestDirty: true,
	});
});

test('what the kernel reported before the first case is seen', async t => {
	const guest = new FakeGuest();
	guest.say('WARNING: CPU: 0 PID: 1 at a.c:1 ring_init+0x1/0x2 [ring]\n---[ end trace 0000000000000000 ]---');
	await guest.console.refresh();
	const outcome = await runCell(
		fakeCell(async () => {}),
		guest,
		{signal},
	);
	t.like(outcome, {verdict: 'crash', isReportLate: true, report: {title: 'WARNING in ring_init [ring]'}});
});

test('a case sees the kernel log since it began, also if it is asked again in the same guest', async t => {
	const guest = new FakeGuest();
	guest.say('before');
	for (const attempt of ['first', 'second']) {
		const cell = fakeCell(async context => {
			guest.say(`[    1.500000] ${attempt} attempt`);
			context.evidence('log', await context.dmesg());
		});
		const {evidence} = await runCell(cell, guest, {signal});
		t.is(evidence?.log, `[    1.500000] ${attempt} attempt\n`);
	}
});

test('a case gets what its suite adds, and its console since it began', async t => {
	const guest = new FakeGuest();
	guest.say('before');
	await guest.console.refresh();
	const suite: Suite = {...fakeSuite, open: ({mechanism, target}) => ({added: `${mechanism.id} ${target}`})};
	const cell = fakeCell(async context => {
		guest.say('during');
		context.evidence('added', (context as unknown as {added: string}).added);
		context.evidence('console', await context.console());
	});
	const {evidence} = await runCell({...cell, suite}, guest, {signal});
	t.is(evidence?.added, 'fake undefined');
	t.regex(String(evidence?.console), /during/);
	t.notRegex(String(evidence?.console), /before/);
});
