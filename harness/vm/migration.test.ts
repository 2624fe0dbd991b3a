// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {GuestError, UsageError} from '../host/errors.ts';
import type {Qmp, QmpEvent} from '../qemu/qmp.ts';
import {resumeVm, save} from './migration.ts';

/** The monitor of a QEMU of this version, whose migration has these states, one after the other. */
function monitor(
	version: readonly [major: number, minor: number],
	states: readonly object[] = [{status: 'completed'}],
) {
	const commands: [string, unknown?][] = [];
	const left = [...states];
	let tell: ((event: QmpEvent) => void) | undefined;
	const qmp = {
		async execute(command: string, given?: object) {
			if (command === 'query-version') return {qemu: {major: version[0], minor: version[1]}};
			if (command === 'query-migrate') return left.shift() ?? {status: 'asked too often'};
			commands.push(given === undefined ? [command] : [command, given]);
			// Another event, and one of a state on the way, are not the end.
			if (command === 'migrate-incoming')
				for (const [event, data] of [
					['STOP', undefined],
					['MIGRATION', {status: 'active'}],
				] as const)
					setImmediate(() => tell?.({event, data} as QmpEvent));
			return {};
		},
		onEvent(listener: (event: QmpEvent) => void) {
			tell = listener;
			return {[Symbol.dispose]: () => (tell = undefined)};
		},
	};
	return {
		qmp: qmp as unknown as Qmp,
		commands,
		left,
		end: () => tell?.({event: 'MIGRATION', data: {status: 'completed'}} as unknown as QmpEvent),
		isHeard: () => tell !== undefined,
	};
}

const shared = {capability: 'x-ignore-shared', state: true};

for (const [version, to, from] of [
	[[7, 2], "exec:cat > '/a b'", "exec:cat '/a b'"],
	[[8, 1], "exec:cat > '/a b'", "exec:cat '/a b'"],
	[[8, 2], 'file:/a b', 'file:/a b'],
	[[9, 0], 'file:/a b', 'file:/a b'],
	[[10, 1], 'file:/a b', 'file:/a b'],
] as const) {
	test(`QEMU ${version.join('.')} saves to ${to}`, async t => {
		const {qmp, commands, left} = monitor(version, [{}, {status: 'setup'}, {status: 'active'}, {status: 'completed'}]);
		await save(qmp, '/a b');
		t.deepEqual(commands, [['stop'], ['migrate-set-capabilities', {capabilities: [shared]}], ['migrate', {uri: to}]]);
		t.deepEqual(left, [], 'it waits until the state is complete');
	});

	test(`QEMU ${version.join('.')} resumes from ${from} when it has all of it`, async t => {
		const {qmp, commands, end, isHeard} = monitor(version);
		const resumed = resumeVm(qmp, '/a b');
		const loading = [
			['migrate-set-capabilities', {capabilities: [shared, {capability: 'events', state: true}]}],
			['migrate-incoming', {uri: from}],
		];
		while (commands.length < 2) await new Promise(setImmediate);
		for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
		t.deepEqual(commands as unknown, loading);
		const before = performance.now();
		end();
		const at = await resumed;
		t.true(at >= before && at <= performance.now());
		t.deepEqual(commands as unknown, [...loading, ['cont']]);
		t.false(isHeard());
	});
}

for (const [what, state, message, isUsage] of [
	['fails', {status: 'failed', 'error-desc': 'it broke'}, 'QEMU did not save the guest: it broke.', false],
	['fails without a word', {status: 'failed'}, 'QEMU did not save the guest: failed.', false],
	['is cancelled', {status: 'cancelled'}, 'QEMU did not save the guest: cancelled.', false],
	[
		'meets a full disk',
		{status: 'failed', 'error-desc': 'write: No space left on device'},
		'There is no space left on the disk that holds /state.',
		true,
	],
] as const)
	test(`a save that ${what} is an error`, async t => {
		const {qmp} = monitor([10, 0], [{status: 'active'}, state]);
		await t.throwsAsync(save(qmp, '/state'), {instanceOf: isUsage ? UsageError : GuestError, message});
	});
