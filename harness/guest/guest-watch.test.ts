// SPDX-License-Identifier: GPL-2.0
import test, {type ExecutionContext} from 'ava';
import {FakeGuest} from '../test/fake-guest.ts';
import {GuestWatch} from './guest-watch.ts';

const begun = '[    1.0] BUG: unable to handle page fault for address: 0';
const place = '[    1.1] RIP: 0010:ring_push+0x1/0x2';
const ended = '[    1.2] ---[ end trace 0000000000000000 ]---';

/** Waits for the report of a guest that prints a line or nothing each time it is looked at, and then nothing more. */
async function settle(lines: readonly (string | undefined)[], {onLook = () => {}}: {onLook?: () => void} = {}) {
	const guest = new FakeGuest();
	const watch = GuestWatch.of(guest);
	let looks = 0;
	const left = [...lines];
	const console = Object.assign(Object.create(guest.console), {
		async refresh() {
			looks++;
			onLook();
			const line = left.shift();
			if (line !== undefined) guest.say(line);
		},
	});
	await watch.settled(console);
	return {looks, left, titles: watch.reports.map(({title}) => title)};
}

test('a report is waited for until its end, and no longer', async t => {
	t.deepEqual(await settle([begun, place, ended, 'more']), {
		looks: 3,
		left: ['more'],
		titles: ['BUG: unable to handle page fault in ring_push'],
	});
	t.deepEqual(await settle([]), {looks: 1, left: [], titles: []});
	t.like(await settle(['[    1.0] harmless', 'more']), {looks: 1, titles: []});
});

test('a report that does not end is waited for until nothing more comes', async t => {
	const placed = await settle([begun, place]);
	t.deepEqual(placed.titles, ['BUG: unable to handle page fault in ring_push']);
	t.true(placed.looks > 2, 'one look finds nothing new');
	t.deepEqual((await settle([begun])).titles, ['BUG: unable to handle page fault']);
});

/** Time that passes only by being told to, until the test is over. */
function fakeClock(t: ExecutionContext) {
	const {now} = performance;
	let ms = 0;
	performance.now = () => ms;
	t.teardown(() => {
		performance.now = now;
	});
	return {
		pass(passedMs: number) {
			ms += passedMs;
		},
	};
}

/** A look at a console that is silent for half a second. */
const silence = Array<undefined>(5).fill(undefined);

for (const [what, lines, left, title] of [
	[
		'a report without a location is waited for while another CPU may still be asked for it',
		[begun, ...silence, place, ended],
		[],
		'BUG: unable to handle page fault in ring_push',
	],
	[
		'a report with a location is not waited for as long as one without',
		[begun, place, ...silence, ended],
		[undefined, undefined, ended],
		'BUG: unable to handle page fault in ring_push',
	],
	[
		'a report whose location does not come is told without one',
		[begun, ...silence, ...silence, ...silence, place, ended],
		[undefined, undefined, place, ended],
		'BUG: unable to handle page fault',
	],
] as const)
	test.serial(what, async t => {
		const {pass} = fakeClock(t);
		t.like(await settle(lines, {onLook: () => pass(100)}), {left, titles: [title]});
	});

test.serial('a report that goes on and on is not waited for until its end', async t => {
	const {pass} = fakeClock(t);
	const endless = Array.from({length: 100}, (_, n) => `[    1.3] line ${n}`);
	const {looks, left} = await settle([begun, place, ...endless], {onLook: () => pass(100)});
	t.true(left.length > 0);
	t.true(looks > 10, 'though it is waited for while it goes on');
});

test('a guest has one watch, whose listeners hear of reports, but not of leaks', async t => {
	const guest = new FakeGuest();
	const watch = GuestWatch.of(guest);
	t.is(GuestWatch.of(guest), watch);
	t.not(GuestWatch.of(new FakeGuest()), watch);
	let heard = 0;
	using _ = watch.onTrouble(() => heard++);
	guest.say('[    1.0] harmless');
	guest.say('[    1.1] kmemleak: unreferenced object 0xffff888000000000 (size 8):');
	t.is(heard, 0);
	guest.say(begun);
	t.is(heard, 1, 'a report after a leak');
	using __ = watch.onTrouble(() => heard++);
	t.is(heard, 2, 'who comes later hears of it at once');
	watch.settle(guest.console);
	using ___ = watch.onTrouble(() => heard++);
	t.is(heard, 2, 'what is assigned to a cell is no trouble of the next');
});
