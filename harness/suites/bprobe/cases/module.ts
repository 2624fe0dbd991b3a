// SPDX-License-Identifier: GPL-2.0
import type {Hex} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {shell, startBprobectl} from './bprobectl.ts';
import {hex, onlyHits, pattern} from './registers.ts';
import {allowCpus} from './tasks.ts';
import {tidily} from './tidily.ts';
import {vmallocAreas} from './vmalloc.ts';

export const moduleCases = [
	defineCase({
		id: 'module/loads',
		needs: ['device'],
		deadlineMs: 5000,
		async run(context) {
			const {stdout} = await context.exec('cat /proc/modules');
			for (const module of ['bprobe', 'fixtures'])
				assert.match(stdout, new RegExp(`^${module} \\d+ \\d+ - Live `, 'm'), `${module} in /proc/modules`);
		},
	}),
	defineCase({
		id: 'module/device',
		needs: ['device'],
		deadlineMs: 5000,
		async run(context) {
			const {stdout} = await context.exec(`stat -c '%F %a %u:%g' /dev/bprobe`);
			assert.equal(stdout.trim(), 'character special file 600 0:0', 'type, mode and owner of the device');
		},
	}),
	defineCase({
		id: 'module/locked-down',
		needs: ['device'],
		missing: kernel =>
			kernel.hasOption('CONFIG_SECURITY_LOCKDOWN_LSM') ? undefined : 'This kernel cannot be locked down.',
		deadlineMs: 10_000,
		// A kernel stays locked down until it boots.
		isAlone: true,
		async run(context) {
			const many = {
				prog: await context.load('count'),
				point: 'entry',
				symbols: ['fx_many_000', 'fx_many_001'],
			} as const;
			const {probe: ofMany} = await context.ask('attachList', many);
			const lockdown = '/sys/kernel/security/lockdown';
			const lock = (level: string) =>
				context.exec(`mount -t securityfs none /sys/kernel/security 2>/dev/null; echo ${level} > ${lockdown}`);
			const {code, stderr} = await lock('integrity');
			if (code !== 0) context.skip(`The lockdown module is not in use: ${stderr.trim()}`);
			// The kernel allows its own probes, too, unless it has to keep secrets from root.
			const probe = await context.attach({point: 'entry'});
			assert.equal((await lock('confidentiality')).code, 0, 'the second lock');
			const attempt = context.attach({point: 'entry', program: 'empty'});
			await assert.rejects(attempt, {errno: 'EPERM'}, 'an attach in a locked down kernel');
			// To ask what may be probed tells no secrets.
			const {reasons} = await context.ask('check', {addresses: [await context.address('fx_asm')]});
			assert.deepEqual(reasons, [''], 'why fx_asm cannot be probed');
			await context.call({in: pattern(1)});
			onlyHits(await probe.info(), 1);
			// What was attached before can be closed, and the module unloaded.
			await context.ask('close', {probe: ofMany!});
			await probe.close();
			await context.ask('rmmod', {module: 'bprobe'});
		},
	}),
	defineCase({
		id: 'module/counts-of-an-offline-cpu',
		needs: ['entry', 'device'],
		missing: kernel => (kernel.hasOption('CONFIG_HOTPLUG_CPU') ? undefined : 'CPUs of this kernel stay online.'),
		deadlineMs: 20_000,
		async run(context) {
			const probe = await context.attach({point: 'entry', program: 'count'});
			const setOnline = (to: 0 | 1) => context.exec(`echo ${to} > /sys/devices/system/cpu/cpu1/online`);
			await tidily(
				async () => {
					await allowCpus(context, 2);
					for (let n = 0; n < 5; n++)
						assert.equal((await context.call({in: pattern(1)})).cpuBefore, 1, 'the CPU of a call');
					await allowCpus(context, 3);
					const {code, stderr} = await setOnline(0);
					assert.equal(code, 0, `the end of CPU 1: ${stderr}`);
					onlyHits(await probe.info(), 5);
				},
				async () => {
					await allowCpus(context, 3);
					await setOnline(1);
				},
			);
			onlyHits(await probe.info(), 5);
		},
	}),
	defineCase({
		id: 'module/fdinfo',
		needs: ['device'],
		deadlineMs: 5000,
		async run(context) {
			for (const point of ['entry', 'return'] as const) {
				const probe = await context.attach({point, program: 'empty'});
				const {progId} = await context.ask('info', {probe: probe.handle});
				const {pid} = await context.ask('hello', {});
				const {stdout} = await context.exec(`grep -h -A2 ^point: /proc/${pid}/fdinfo/*`);
				assert.equal(stdout, `point:\t${point}\nprog_id:\t${progId}\nfunctions:\t1\n`, 'what fdinfo says');
				const {stdout: flags} = await context.exec(
					`cd /proc/${pid}/fdinfo && sed -n 's/^flags:.//p' $(grep -l ^point: *)`,
				);
				assert.equal(Number.parseInt(flags, 8) & 0o2000000, 0o2000000, `close-on-exec in the flags ${flags}`);
				await probe.close();
			}
			const tracing = await startBprobectl(context, 'trace fx_c');
			const device = await shell(
				context,
				'cd /proc/$(pidof bprobectl) && sed -n "s/^flags:.//p" fdinfo/$(ls -l fd | sed -n "s,.* \\([0-9]*\\) -> /dev/bprobe$,\\1,p")',
			);
			assert.equal(Number.parseInt(device, 8) & 0o2000000, 0o2000000, `close-on-exec in the device's flags ${device}`);
			await tracing.interrupt();
			await tracing.output();
		},
	}),
	defineCase({
		id: 'module/frames',
		needs: ['device'],
		deadlineMs: 10_000,
		async run(context) {
			for (const [asked, gets] of [
				[1, 64],
				[10_000, 10_000],
			]) {
				await context.ask('rmmod', {module: 'bprobe'});
				await context.ask('insmod', {module: 'bprobe', parameters: `frames=${asked}`});
				const {text} = await context.ask('listing', {});
				assert.match(text, new RegExp(`^frames 0 of ${gets}$`, 'm'), `what frames=${asked} gives`);
				const parameter = '/sys/module/bprobe/parameters/frames';
				const {stdout} = await context.exec(`cat ${parameter} && stat -c %a ${parameter}`);
				assert.equal(stdout, `${gets}\n444\n`, 'the parameter tells what it gives, and cannot be changed');
			}
			await context.ask('rmmod', {module: 'bprobe'});
			await context.ask('insmod', {module: 'bprobe'});
		},
	}),
	defineCase({
		id: 'module/opens-leave-no-memory',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			const slabKib = async () => {
				const {stdout} = await context.exec('cat /proc/slabinfo');
				const caches = [...stdout.matchAll(/^kmalloc-\S+ +(\d+) +\d+ +(\d+) /gm)];
				assert.notEqual(caches.length, 0, 'caches of kmalloc');
				return caches.reduce((sum, [, objects, size]) => sum + Number(objects) * Number(size), 0) / 1024;
			};
			const open = `n=0; while [ $n -lt 20000 ]; do : < /dev/bprobe; n=$((n + 1)); done`;
			const before = await slabKib();
			await context.exec(open);
			const grown = (await slabKib()) - before;
			// Less than the smallest object for each.
			assert.ok(grown < 156, `20,000 times opened and closed, kmalloc holds ${Math.round(grown)} KiB more`);
		},
	}),
	defineCase({
		id: 'module/reload-20',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			const reloadFiveTimes = async (point: 'entry' | 'return') => {
				for (let n = 0; n < 5; n++) {
					await context.ask('rmmod', {module: 'bprobe'});
					await context.ask('insmod', {module: 'bprobe'});
				}
				const probe = await context.attach({point});
				await context.call({in: pattern(1), ret: pattern(2)});
				onlyHits(await probe.info(), 1);
				await probe.close();
			};
			// The programs that the agent loads for a probe stay.
			await reloadFiveTimes('return');
			const before = await vmallocAreas(context);
			assert.ok(before.includes('bp_frames_init'), `areas of vmalloc: ${before.join(' ')}`);
			for (const point of ['entry', 'return', 'entry'] as const) await reloadFiveTimes(point);
			assert.deepEqual(await vmallocAreas(context), before, 'areas of vmalloc after the reloads');
		},
	}),
	defineCase({
		id: 'module/busy-while-probed',
		needs: ['device'],
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			await assert.rejects(context.ask('rmmod', {module: 'bprobe'}), {errno: 'EAGAIN'}, 'a probe holds the module');
			await context.call({in: pattern(1), ret: pattern(2)});
			onlyHits(await probe.info(), 1);
			await probe.close();
			await context.ask('rmmod', {module: 'bprobe'});
			await context.ask('insmod', {module: 'bprobe'});
		},
	}),
	defineCase({
		id: 'module/lists-process-of-a-thread',
		needs: ['device'],
		deadlineMs: 10_000,
		async run(context) {
			const {pid} = await context.ask('hello', {});
			const [prog, address] = [await context.load('count'), await context.address('fx_c')];
			const job = {prog, point: 'entry', address, target: 'c', cookie: 1, by: 'close', holdUs: 200_000} as const;
			const churn = await context.start('startChurn', job);
			let owner: string | undefined;
			while (owner === undefined) {
				context.signal.throwIfAborted();
				owner = /^entry +\S+ \d+ ftrace \d+ \d+ (\d+) /m.exec((await context.ask('listing', {})).text)?.[1];
			}
			await churn.stop();
			assert.equal(owner, `${pid}`, 'the process whose thread has attached a probe');
		},
	}),
	defineCase({
		id: 'module/lists-probes',
		needs: ['device'],
		deadlineMs: 10_000,
		async run(context) {
			const none = (await context.ask('listing', {})).text;
			assert.equal(none.trim().split('\n').length, 2, `two lines, of frames and of column names: ${none}`);
			const {pid} = await context.ask('hello', {});
			const probes = [
				{
					point: 'entry',
					symbol: 'fx_asm [fixtures]',
					hook: 'kprobe',
					probe: await context.attach({point: 'entry', program: 'empty', at: await context.address('fx_asm')}),
				},
				{
					point: 'return',
					symbol: 'fx_c [fixtures]',
					hook: 'ftrace',
					probe: await context.attach({point: 'return', program: 'empty', at: await context.address('fx_c')}),
				},
			];
			await context.call({target: 'c', in: {di: hex(1)}});
			const lines = (await context.ask('listing', {})).text.trim().split('\n').slice(2);
			assert.equal(lines.length, probes.length, 'lines of the listing');
			for (const [n, {point, symbol, hook, probe}] of probes.entries()) {
				const {address, progId, hits} = await context.ask('info', {probe: probe.handle});
				const [seenPoint, seenAddress, ...rest] = lines[n]!.trim().split(/\s+/);
				assert.deepEqual(
					{seenPoint, seenAddress: hex(BigInt(`0x${seenAddress}`))},
					{seenPoint: point, seenAddress: address},
					'point and address in the listing',
				);
				assert.deepEqual(
					rest,
					[`${progId}`, hook, `${hits}`, '0', `${pid}`, ...symbol.split(' ')],
					'the rest of the line in the listing',
				);
				assert.equal(hits, n, 'hits in the listing');
			}
		},
	}),
	defineCase({
		id: 'module/lists-a-new-name-at-an-old-address',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			const names = {fixtures: 'fx_many_000', renamed: 'fx_newer_00'};
			const files = '/lib/probe-matrix';
			await context.exec(
				`sed s/${names.fixtures}/${names.renamed}/g ${files}/fixtures.ko > ${files}/renamed.ko && ! cmp -s ${files}/fixtures.ko ${files}/renamed.ko`,
			);
			const addressOf = async (symbol: string) =>
				(await context.ask('symbols', {names: [symbol]})).addresses[symbol]?.[0];
			const listed = async (at: Hex) => {
				const probe = await context.attach({point: 'entry', program: 'empty', at});
				const [line] = (await context.ask('listing', {})).text.trim().split('\n').slice(2);
				await probe.close();
				return line!.split(/\s+/).slice(-2).join(' ');
			};
			const old = new Set<Hex>();
			let shared = 0;
			await tidily(
				async () => {
					for (let n = 0; n < 20 && shared === 0; n++) {
						const at = await addressOf(names.fixtures);
						assert.equal(await listed(at!), `${names.fixtures} [fixtures]`, 'the name before');
						old.add(at!);
						await context.ask('rmmod', {module: 'fixtures'});
						await context.ask('insmod', {module: 'renamed'});
						const now = await addressOf(names.renamed);
						if (old.has(now!)) {
							assert.equal(await listed(now!), `${names.renamed} [fixtures]`, 'the name after');
							shared++;
						}
						// Linux 4.15 frees an area at the next load only: the two modules would go on taking turns in two places.
						for (let times = 0; times <= n % 2; times++) {
							await context.ask('rmmod', {module: 'fixtures'});
							await context.ask('insmod', {module: 'fixtures'});
						}
					}
				},
				() => context.exec(`rm -f ${files}/renamed.ko`),
			);
			if (shared === 0) context.inconclusive('The kernel never put the second module where the first one was.');
		},
	}),
];
