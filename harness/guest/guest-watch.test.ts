// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {FakeGuest} from '../test/fake-guest.ts';
import {GuestWatch} from './guest-watch.ts';

const begun = '[    1.0] BUG: unable to handle page fault for address: 0';
const place = '[    1.1] RIP: 0010:ring_push+0x1/0x2';
const ended = '[    1.2] ---[ end trace 0000000000000000 ]---';

/** Waits for the report of a guest that prints a line each time it is looked at, and then nothing more. */
async function settle(lines: readonly string[]) {
	const guest = new FakeGuest();
	const watch = GuestWatch.of(guest);
	let looks = 0;
	const left = [...lines];
	const console = Object.assign(Object.create(guest.console), {
		async refresh() {
			looks++;
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
