// SPDX-License-Identifier: GPL-2.0
import type {AgentOps} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {attachBytes, attachCommand, infoCommand, infoFirstSize} from './attach-request.ts';
import {pattern} from './registers.ts';

type Patches = AgentOps['ioctl']['in']['patches'];

type Refused = readonly [what: string, errno: string, data: string, patches: Patches];

const programAt8 = (prog: number) => ({offset: 8, prog});
const symbolAt16 = (string: string) => ({offset: 16, string});

async function refcountOf(context: CaseContext, module: string): Promise<number> {
	const {stdout} = await context.exec(`cat /sys/module/${module}/refcnt`);
	return Number(stdout);
}

/** What the module answers to requests of all kinds. */
export const requestCases = [
	defineCase({
		id: 'module/refuses-unprivileged',
		needs: ['device'],
		deadlineMs: 15_000,
		async run(context) {
			const byMode = await context.ask('asUser', {uid: 1000, keepSysAdmin: false, openFirst: false});
			assert.equal(byMode.open, 'EACCES', 'the mode of the device stops another user');
			const root = await context.ask('asUser', {uid: 0, keepSysAdmin: false, openFirst: false});
			assert.equal(root.open, 'EPERM', 'the module stops root without CAP_SYS_ADMIN');
			const handedOver = await context.ask('asUser', {uid: 1000, keepSysAdmin: false, openFirst: true});
			const refused = {open: 'ok', attach: 'EPERM', check: 'EPERM'};
			assert.deepEqual(handedOver, refused, 'an open descriptor does not replace the capability');
			const allowed = await context.ask('asUser', {uid: 0, keepSysAdmin: true, openFirst: false});
			assert.deepEqual(allowed, {open: 'ok', attach: 'ok', check: 'ok'}, 'what root with CAP_SYS_ADMIN may do');
		},
	}),
	defineCase({
		id: 'module/rejects-bad-requests',
		needs: ['device'],
		deadlineMs: 20_000,
		async run(context) {
			const prog = await context.load('empty');
			const good = [programAt8(prog), symbolAt16('fx_c')];
			// Programs of kprobes can be sleepable since 6.0, for uprobes.
			const types = (
				[
					['socket', 4, 15],
					['sleepable', 6, 0],
					// Of no use for a kprobe before 5.18, but it loads.
					['kprobe-multi', 4, 17],
				] as const
			).filter(([, major, minor]) => !isBefore(context, major, minor));
			const unfit: Refused[] = [];
			const refused = [];
			for (const [type] of types) {
				const instructions = 'b7000000000000009500000000000000';
				const loaded = await context.ask('load', {instructions, license: 'GPL', type});
				refused.push(loaded);
				unfit.push([`a ${type} program`, 'EPROTOTYPE', attachBytes(), [programAt8(loaded.prog), symbolAt16('fx_c')]]);
			}
			const address = BigInt(await context.address('fx_c'));
			// The agent opens the device with its first request and keeps it open, which adds a reference.
			await assert.rejects(
				context.ask('ioctl', {on: 'device', command: '0x5063', pointer: '0x0'}),
				{errno: 'ENOTTY'},
				'an unknown command on the device',
			);
			const before = {bprobe: await refcountOf(context, 'bprobe'), fixtures: await refcountOf(context, 'fixtures')};
			const rows: readonly Refused[] = [
				['a closed descriptor', 'EBADF', attachBytes({fd: 999}), [symbolAt16('fx_c')]],
				['standard input', 'EPROTOTYPE', attachBytes({fd: 0}), [symbolAt16('fx_c')]],
				...unfit,
				['an unknown symbol', 'ENOENT', attachBytes(), [programAt8(prog), symbolAt16('no_such_function')]],
				['an ambiguous symbol', 'ENOTUNIQ', attachBytes(), [programAt8(prog), symbolAt16('s_show')]],
				['a blacklisted symbol', 'EOPNOTSUPP', attachBytes(), [programAt8(prog), symbolAt16('do_int3')]],
				['the context switch function', 'EOPNOTSUPP', attachBytes(), [programAt8(prog), symbolAt16('__switch_to')]],
				['a function of bprobe itself', 'EOPNOTSUPP', attachBytes(), [programAt8(prog), symbolAt16('bp_return')]],
				['a symbol that is too long', 'ENAMETOOLONG', attachBytes(), [programAt8(prog), symbolAt16('x'.repeat(2000))]],
				['an address inside a function', 'EADDRNOTAVAIL', attachBytes({address: address + 3n}), [programAt8(prog)]],
				['an address in user space', 'EADDRNOTAVAIL', attachBytes({address: 0x400000n}), [programAt8(prog)]],
				['a bad symbol pointer', 'EFAULT', attachBytes({symbol: 0xdead0000n}), [programAt8(prog)]],
				['an unknown flag', 'EINVAL', attachBytes({flags: 2}), good],
				['an unknown point', 'EINVAL', attachBytes({point: 2}), good],
				['neither symbol nor address', 'EINVAL', attachBytes(), [programAt8(prog)]],
				['both symbol and address', 'EINVAL', attachBytes({address}), good],
				['a size that is too small', 'E2BIG', attachBytes({size: 39}), good],
				['a size of zero', 'E2BIG', attachBytes({size: 0}), good],
				...[56, 64, 71].map(
					(at): Refused => [
						`a larger size with a non-zero byte at ${at}`,
						'E2BIG',
						attachBytes({size: 72}, {extra: `${'00'.repeat(at - 40)}01${'00'.repeat(71 - at)}`}),
						good,
					],
				),
				['a huge size', 'E2BIG', attachBytes({size: 0x7fffffff}), good],
			];
			for (const [what, errno, data, patches] of rows) {
				const attempt = context.ask('ioctl', {on: 'device', command: attachCommand, data, patches});
				await assert.rejects(
					attempt,
					{errno},
					`${what}: ${await attempt.then(JSON.stringify, (error: Error) => error.message)}`,
				);
			}
			await assert.rejects(
				context.ask('ioctl', {on: 'device', command: attachCommand, pointer: '0xdead0000'}),
				{errno: 'EFAULT'},
				'a bad pointer',
			);
			const check = Buffer.alloc(208);
			check.writeUInt32LE(208, 0);
			check.writeUInt32LE(1, 4);
			check.writeBigUInt64LE(address, 8);
			await assert.rejects(
				context.ask('ioctl', {on: 'device', command: '0xc0d05062', data: check.toString('hex')}),
				{errno: 'EINVAL'},
				'an unknown flag of a check',
			);
			const after = {bprobe: await refcountOf(context, 'bprobe'), fixtures: await refcountOf(context, 'fixtures')};
			assert.deepEqual(after, before, 'references to modules');
			for (const {prog: each, progId} of refused) {
				await context.ask('unload', {prog: each});
				const {exists} = await context.ask('progExists', {progId});
				assert.equal(exists, false, 'whether something holds a refused program');
			}
			assert.doesNotMatch((await context.ask('listing', {})).text, /entry|return/, 'no probe is left');
		},
	}),
	defineCase({
		id: 'module/unknown-ioctl',
		needs: ['device'],
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry', program: 'empty'});
			for (const command of ['0x5400', '0x5063', infoCommand] as const) {
				await assert.rejects(
					context.ask('ioctl', {on: 'device', command, pointer: '0x0'}),
					{errno: 'ENOTTY'},
					'an unknown command on the device',
				);
			}
			for (const command of ['0x5063', attachCommand] as const) {
				await assert.rejects(
					context.ask('ioctl', {on: {probe: probe.handle}, command, pointer: '0x0'}),
					{
						errno: 'ENOTTY',
					},
					'an unknown command on a probe',
				);
			}
			await assert.rejects(
				context.ask('ioctl', {on: {probe: probe.handle}, command: infoCommand, pointer: '0xdead0000'}),
				{errno: 'EFAULT'},
				'INFO with a bad pointer',
			);
			await assert.rejects(
				context.ask('ioctl', {on: {probe: probe.handle}, command: infoCommand, data: '08000000'.padEnd(432, '0')}),
				{errno: 'E2BIG'},
				'INFO with a size that is too small',
			);
			// A caller that knows only the first members has other data behind them.
			const first = Buffer.alloc(240, 0xaa);
			first.writeUInt32LE(infoFirstSize);
			const {data} = await context.ask('ioctl', {
				on: {probe: probe.handle},
				command: infoCommand,
				data: first.toString('hex'),
			});
			const behind = Buffer.from(data!, 'hex').subarray(infoFirstSize);
			assert.equal(behind.toString('hex'), 'aa'.repeat(behind.length), 'what is behind the structure');
		},
	}),
	defineCase({
		id: 'module/ioctl-of-32-bit-programs',
		needs: ['device'],
		missing: kernel => (kernel.hasOption('CONFIG_IA32_EMULATION') ? undefined : 'This kernel runs no 32-bit programs.'),
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry', program: 'empty', at: await context.address('fx_c')});
			await context.call({target: 'c', in: pattern(1)});
			const head = Buffer.alloc(infoFirstSize);
			head.writeUInt32LE(infoFirstSize);
			const info = {on: {probe: probe.handle}, command: infoCommand, data: head.toString('hex')} as const;
			assert.deepEqual(
				await context.ask('ioctl', {...info, is32Bit: true}),
				await context.ask('ioctl', info),
				'INFO of 32-bit and of 64-bit programs',
			);
			const address = BigInt(await context.address('fx_c'));
			const attach = {
				on: 'device',
				command: attachCommand,
				data: attachBytes({fd: -1, address}),
				is32Bit: true,
			} as const;
			await assert.rejects(context.ask('ioctl', attach), {errno: 'EBADF'}, 'an attach without a program');
		},
	}),
];
