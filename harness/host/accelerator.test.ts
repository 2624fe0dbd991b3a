// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {writeProgram} from '../test/write-program.ts';
import {type AcceleratorOptions, findAccelerator} from './accelerator.ts';
import {UsageError} from './errors.ts';
import {findQemu, type Qemu} from './qemu.ts';
import {runTestGuest} from './test-guest.ts';

/** A private cache, a KVM device that opens, and a QEMU that runs `script` with the accelerator as first argument. */
async function world(script: string) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'accelerator-'));
	const kvmDevice = path.join(directory.path, 'kvm');
	const program = path.join(directory.path, 'qemu');
	await writeFile(kvmDevice, '');
	await writeProgram(program, `#!/bin/sh\necho "$2" >>${directory.path}/asked\n${script}\n`);
	process.env.PROBE_MATRIX_CACHE = path.join(directory.path, 'cache');
	const qemu: Qemu = {
		command: [program],
		environment: {},
		version: '10.0.0',
		tcgThread: 'multi',
		hasQboot: true,
		canBeSandboxed: false,
	};
	return {
		qemu,
		kvmDevice,
		find: (options: AcceleratorOptions = {}) => findAccelerator(qemu, {kvmDevice, patienceMs: 300, ...options}),
		[Symbol.asyncDispose]: () => directory.remove(),
	};
}

const runs = 'printf AM; printf S; exit 33';
const onlyTcg = (kvm: string) => `if [ "$2" = kvm ]; then ${kvm}; else ${runs}; fi`;

test.serial('KVM is used if a guest runs with it', async t => {
	await using host = await world(runs);
	const {name, speed} = await host.find();
	t.is(name, 'kvm');
	t.true(speed! > 0);
});

const failures: Record<string, [kvm: string, why: RegExp]> = {
	hangs: ['sleep 60', /opens, but the test guest printed nothing for 0\.3 s$/],
	'hangs at the first MSR': ['printf A; sleep 60', /stopped at its first MSR for 0\.3 s$/],
	aborts: [
		'printf A; echo "Assertion failed." >&2; kill -ABRT $$',
		/ended by SIGABRT after .* printed A: Assertion failed\.$/,
	],
	fails: ['echo "failed to initialize kvm" >&2; exit 1', /QEMU ended with 1: failed to initialize kvm$/],
	'prints and does not end': [`printf AMS; sleep 60`, /nothing more than AMS for 0\.3 s$/],
	'ends too early': ['printf A; exit 33', /ended with 33 after the test guest had printed A$/],
};
for (const [what, [kvm, why]] of Object.entries(failures)) {
	test.serial(`a KVM that ${what} is reported, and TCG is used`, async t => {
		await using host = await world(onlyTcg(kvm));
		const {name, reason} = await host.find();
		t.is(name, 'tcg');
		t.regex(reason, why);
		t.true(reason.startsWith(host.kvmDevice));
		await t.throwsAsync(host.find({forced: 'kvm'}), {instanceOf: UsageError, message: why});
	});
}

test.serial('without a KVM device no test guest is started with KVM', async t => {
	await using host = await world(onlyTcg('exit 1'));
	const kvmDevice = `${host.kvmDevice}-not`;
	t.like(await host.find({kvmDevice}), {name: 'tcg', reason: `${kvmDevice} does not exist`});
	await t.throwsAsync(host.find({kvmDevice, forced: 'kvm'}), {instanceOf: UsageError, message: /does not exist/});
});

test.serial('--accel tcg is used although KVM works', async t => {
	await using host = await world(runs);
	t.like(await host.find({forced: 'tcg'}), {name: 'tcg', reason: 'requested'});
});

test.serial('the result is cached until a fresh check is requested', async t => {
	await using host = await world(runs);
	await host.find();
	// The cached answer must be used, although QEMU would fail now.
	await writeProgram(host.qemu.command[0]!, '#!/bin/sh\nexit 1\n');
	t.is((await host.find()).name, 'kvm');
	t.is((await host.find({isFresh: true})).name, 'tcg');
	t.is((await host.find()).name, 'tcg');
});

test.serial('a result from another boot of the host is not used', async t => {
	await using host = await world(runs);
	await host.find();
	const memo = path.join(process.env.PROBE_MATRIX_CACHE!, 'kernels/accelerator-kvm.json');
	await writeFile(memo, JSON.stringify({bootId: 'another', command: host.qemu.command, end: {ran: false, why: 'no'}}));
	t.is((await host.find()).name, 'kvm');
});

test.serial('a result of another QEMU is not used', async t => {
	await using host = await world(runs);
	await host.find();
	const other = `${host.qemu.command[0]}-11`;
	await writeProgram(other, '#!/bin/sh\nexit 1\n');
	const {kvmDevice} = host;
	t.is((await findAccelerator({...host.qemu, command: [other]}, {kvmDevice, patienceMs: 300})).name, 'tcg');
});

test.serial('the test guest runs under TCG', async t => {
	delete process.env.PROBE_MATRIX_CACHE;
	const end = await runTestGuest(await findQemu(), ['-accel', 'tcg', '-cpu', 'max'], {patienceMs: 20_000});
	t.like(end, {ran: true});
});

test.serial('an abort ends the test guest', async t => {
	await using host = await world('exec sleep 60');
	const reason = new Error('interrupted');
	const ending = new AbortController();
	const finding = host.find({signal: ending.signal, patienceMs: 60_000});
	setTimeout(() => ending.abort(reason), 100);
	await t.throwsAsync(finding, {is: reason});
});
