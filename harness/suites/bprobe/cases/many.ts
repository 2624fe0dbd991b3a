// SPDX-License-Identifier: GPL-2.0
import type {FunctionList, Hex, Point} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {attachBytes, attachCommand, functionBytes, infoCommand} from './attach-request.ts';
import {input} from './calls.ts';
import {hex, onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

/** Functions of the fixtures. Each adds its number to its argument. */
const ownNames = Array.from({length: 200}, (_, n) => `fx_many_${String(n).padStart(3, '0')}`);

/** It would be cut off in a listing. */
const longName = `fx_long_${Array(22).fill('name').join('_')}`;

/** The same without a __fentry__ site. */
const plainNames = Array.from({length: 40}, (_, n) => `fx_plain_${String(n).padStart(2, '0')}`);

async function ownFunctions(context: CaseContext): Promise<readonly Hex[]> {
	const {addresses} = await context.ask('symbols', {names: ownNames});
	return ownNames.map(name => addresses[name]![0]!);
}

/** `count` functions: first those of the fixtures, then others, some of which the kernel calls in any agent request. */
async function realFunctions(context: CaseContext, count: number): Promise<readonly Hex[]> {
	const found = new Set(await ownFunctions(context));
	for (const pattern of ['vfs_*', '*'])
		for (const address of (await context.ask('match', {pattern, max: count})).addresses) found.add(address);
	return [...found].slice(0, count);
}

async function attachList(
	context: CaseContext,
	request: FunctionList & {prog: number; point: Point},
): Promise<{probe: number; ms: number}> {
	const answer = await context.ask('attachList', request);
	if (answer.probe === undefined) assert.fail(`${answer.errno} for function ${answer.failed}`);
	return {probe: answer.probe, ms: Number(BigInt(answer.tookNs)) / 1e6};
}

async function callEach(context: CaseContext, functions: readonly Hex[]): Promise<void> {
	for (const [n, address] of functions.entries()) {
		const {after} = await context.call({target: 'address', address, in: {...input, di: hex(1000)}});
		assert.equal(after.ax, hex(1000 + n), `the return value of function ${n}`);
	}
}

/** State that must be restored when all is closed: probes, module references, and functions that are hooked. */
async function stateOf(context: CaseContext): Promise<string> {
	// The agent opens the fixtures with its first request and keeps them open, which adds a reference.
	await context.ask('counts', {});
	const {stdout} = await context.exec(
		[
			'cat /sys/module/bprobe/refcnt /sys/module/fixtures/refcnt',
			'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null',
			'wc -l < /sys/kernel/tracing/enabled_functions',
			'mount -t debugfs none /sys/kernel/debug 2>/dev/null',
			'wc -l < /sys/kernel/debug/kprobes/list',
			'wc -l < /dev/bprobe',
		].join('; '),
	);
	return stdout;
}

const points = ['entry', 'return'] as const;

export const manyCases = [
	defineCase({
		id: 'multi/many-a-thousand',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const before = await stateOf(context);
			const functions = await realFunctions(context, 1000);
			assert.equal(functions.length, 1000, 'functions to probe');
			const own = functions.slice(0, ownNames.length);
			for (const point of points) {
				await context.ask('reset', {});
				const {probe, ms} = await attachList(context, {prog, point, addresses: functions});
				context.evidence(`${point}Ms`, ms);
				const {text} = await context.ask('listing', {});
				assert.equal(text.split('\n').filter(line => line.startsWith(point)).length, 1000, 'lines of the listing');
				await callEach(context, own);
				const {counts, addresses} = await context.ask('infoList', {probe});
				// Among a thousand, some share a list of the module's tables.
				assert.deepEqual(addresses, functions, 'the functions, in their order');
				assert.deepEqual(
					counts.map(([, , cookie]) => cookie),
					functions.map((_, n) => n),
					'the cookies, in the order of the functions',
				);
				assert.deepEqual(
					counts.slice(0, own.length).map(([hits, misses]) => [hits, misses]),
					own.map(() => [1, 0]),
					'hits and misses of the functions of the fixtures',
				);
				// The kernel calls some of the other functions in any agent request.
				assert.ok(
					counts.slice(own.length).some(([hits]) => hits > 0),
					'some function of the kernel was hit',
				);
				await context.ask('close', {probe});
				const {count} = await context.ask('counters', {cookie: 7});
				await callEach(context, own);
				assert.equal((await context.ask('counters', {cookie: 7})).count, count, 'nothing runs after the close');
			}
			assert.equal(
				await stateOf(context),
				before,
				'probes, references of modules, and functions that ftrace hooks, as before',
			);
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'multi/many-attaches-leave-no-memory',
		needs: ['entry', 'device'],
		missing: kernel => (isBefore(kernel, 4, 19) ? 'Linux tells its per-CPU memory since 4.19.' : undefined),
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('empty');
			const addresses = await ownFunctions(context);
			const perCpuKib = async () => {
				for (let n = 0; n < 6; n++) {
					const {probe} = await attachList(context, {prog, point: 'entry', addresses});
					await context.ask('close', {probe});
				}
				return Number(/\d+/.exec((await context.exec('grep ^Percpu: /proc/meminfo')).stdout)?.[0]);
			};
			// The first ones fill what the kernel keeps for later.
			const kib = [await perCpuKib(), await perCpuKib(), await perCpuKib()] as const;
			context.evidence('perCpuKib', kib);
			// A page of each CPU that stays from each attach would be 48.
			assert.ok(kib[2] - kib[0] < 48, `per-CPU memory after each six attaches: ${kib.join(', ')} KiB`);
		},
	}),
	defineCase({
		id: 'multi/many-cookies',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('record');
			const functions = await ownFunctions(context);
			const firstCookie = 2 ** 40 + 5000;
			for (const list of [{addresses: functions}, {symbols: ownNames.toReversed()}]) {
				for (const point of points) {
					await context.ask('reset', {});
					const {probe} = await attachList(context, {prog, point, firstCookie, ...list});
					await callEach(context, functions);
					const cookieOf = (n: number) => firstCookie + ('symbols' in list ? functions.length - 1 - n : n);
					assert.deepEqual(
						(await context.events()).map(({regs, cookie}) => `${regs.ip} ${Number(cookie)}`),
						functions.map((address, n) => `${address} ${cookieOf(n)}`),
						'functions and cookies of the runs, in the order of the calls',
					);
					assert.deepEqual(
						(await context.ask('infoList', {probe})).counts,
						functions.map((_, n) => [1, 0, firstCookie + n]),
						'hits, misses and cookies, in the order of the list',
					);
					await context.ask('close', {probe});
				}
			}
		},
	}),
	defineCase({
		id: 'multi/many-one-bad',
		needs: ['device'],
		deadlineMs: 120_000,
		async run(context) {
			const prog = await context.load('count');
			const functions = await realFunctions(context, 1000);
			const own = functions.slice(0, ownNames.length);
			const before = await stateOf(context);
			const inside = hex(BigInt(functions[500]!) + 3n);
			const blacklisted = await context.address('do_int3');
			const rows: [what: string, errno: string, list: FunctionList, failed: number][] = [
				['an address inside a function', 'EADDRNOTAVAIL', {addresses: functions.with(500, inside)}, 500],
				['a blacklisted function', 'EOPNOTSUPP', {addresses: functions.with(499, blacklisted)}, 499],
				['a bad first function', 'EADDRNOTAVAIL', {addresses: functions.with(0, inside)}, 0],
				['a bad last function', 'EADDRNOTAVAIL', {addresses: functions.with(999, inside)}, 999],
				['neither name nor address', 'EINVAL', {addresses: functions.with(3, '0x0')}, 3],
				['an unknown name', 'ENOENT', {symbols: ownNames.with(100, 'no_such_function')}, 100],
				['an ambiguous name', 'ENOTUNIQ', {symbols: ownNames.with(101, 's_show')}, 101],
				['a name that is too long', 'ENAMETOOLONG', {symbols: ownNames.with(102, 'x'.repeat(2000))}, 102],
				['a name that does not fit with its module’s', 'ENAMETOOLONG', {symbols: ownNames.with(104, longName)}, 104],
				['a fragment of a function', 'EOPNOTSUPP', {symbols: ownNames.with(103, 'fx_copy.part.0.cold')}, 103],
				// Nothing refuses it before it is hooked.
				['a function whose hook fails', 'EOPNOTSUPP', {symbols: ownNames.with(106, 'fx_keyed')}, 106],
			];
			// A copy in the kernel itself, which some of its builds have.
			const copy = 'nmi_handle.part.0';
			if ((await context.ask('symbols', {names: [copy]})).addresses[copy]?.length === 1)
				rows.push(['a copy of a function of the kernel', 'EOPNOTSUPP', {symbols: ownNames.with(107, copy)}, 107]);
			// Modules have functions that are closed to kprobes since 5.8.
			if (!isBefore(context, 5, 8))
				rows.push([
					'a copy of a blacklisted function',
					'EOPNOTSUPP',
					{symbols: ownNames.with(105, 'fx_denied.isra.0')},
					105,
				]);
			for (const [what, errno, list, failed] of rows) {
				await context.ask('reset', {});
				const answer = await context.ask('attachList', {prog, point: 'entry', ...list});
				assert.deepEqual({...answer, tookNs: undefined}, {errno, failed, tookNs: undefined}, what);
				assert.equal(await stateOf(context), before, what);
			}
			await callEach(context, own);
			assert.equal((await context.ask('counters', {cookie: 7})).count, 0, 'no program ran');
			await assert.rejects(
				context.ask('attachList', {prog: 999, point: 'entry', addresses: functions}),
				{errno: 'EBADF'},
				'without the bad function, only the program is refused',
			);
			const {probe} = await attachList(context, {prog, point: 'entry', addresses: functions});
			await context.ask('close', {probe});
		},
	}),
	defineCase({
		id: 'multi/many-beside-others',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('record');
			const functions = await ownFunctions(context);
			const at = functions[9]!;
			const seen = async () => {
				await context.ask('reset', {});
				await context.call({target: 'address', address: at, in: {...input, di: hex(1000)}});
				return (await context.events()).map(({cookie}) => Number(cookie));
			};
			for (const point of points) {
				const order = (...cookies: number[]) => (point === 'entry' ? cookies : cookies.toReversed());
				const single = (cookie: number) => context.ask('attach', {prog, point, address: at, cookie});
				const first = await single(10);
				// The list has the same function twice, with others around it.
				const addresses = [functions[0]!, at, functions[1]!, at, functions[2]!];
				const list = await attachList(context, {prog, point, addresses, firstCookie: 20});
				const last = await single(30);
				assert.deepEqual(await seen(), order(10, 21, 23, 30), 'the order of all probes');
				await context.ask('close', {probe: first.probe});
				assert.deepEqual(await seen(), order(21, 23, 30), 'the order without the first one');
				await context.ask('close', {probe: list.probe});
				assert.deepEqual(await seen(), order(30), 'the order with one of the first left');
				const again = await attachList(context, {prog, point, addresses, firstCookie: 40});
				await context.ask('close', {probe: last.probe});
				assert.deepEqual(await seen(), order(41, 43), 'the order of those attached later');
				await context.ask('close', {probe: again.probe});
				assert.deepEqual(await seen(), [], 'runs after the last close');
			}
			// The first name is found in the kernel, the second in a module.
			const both = await attachList(context, {prog, point: 'entry', symbols: ['commit_creds', 'fx_c']});
			await context.ask('close', {probe: both.probe});
			// Functions with and without a __fentry__ site, some of them several times.
			const mixed = ['fx_c', 'fx_asm', 'fx_asm_fentry', 'fx_c', 'fx_asm', 'fx_asm'];
			const {probe} = await attachList(context, {prog, point: 'return', symbols: mixed, firstCookie: 50});
			await context.ask('reset', {});
			for (const target of ['c', 'asm', 'asm-fentry'] as const) await context.call({target});
			assert.deepEqual(
				(await context.events()).map(({cookie}) => Number(cookie)),
				[53, 50, 55, 54, 51, 52],
				'cookies of the runs',
			);
			await context.ask('close', {probe});
		},
	}),
	// More than a close has room for without memory.
	...Object.entries({'forty-without-fentry': plainNames, forty: ownNames.slice(0, 40)}).map(([name, names]) =>
		defineCase({
			id: `multi/many-${name}`,
			needs: ['entry', 'return', 'device'],
			deadlineMs: 60_000,
			async run(context) {
				const prog = await context.load('count');
				const before = await stateOf(context);
				const {addresses} = await context.ask('symbols', {names});
				const functions = names.map(each => addresses[each]![0]!);
				for (const point of points) {
					await context.ask('reset', {});
					const {probe} = await attachList(context, {prog, point, addresses: functions});
					const {text} = await context.ask('listing', {});
					const hooks = [...text.matchAll(/^(?:entry|return) +[\da-f]+ +\d+ (\w+)/gm)].map(([, hook]) => hook);
					assert.deepEqual(
						hooks,
						names.map(() => (name === 'forty' ? 'ftrace' : 'kprobe')),
						'hooks',
					);
					await callEach(context, functions);
					assert.deepEqual(
						(await context.ask('infoList', {probe})).counts,
						functions.map((_, n) => [1, 0, n]),
						'hits, misses and cookies, in the order of the list',
					);
					await context.ask('reset', {});
					await context.ask('close', {probe});
					await callEach(context, functions);
					for (const cookie of functions.keys())
						assert.equal((await context.ask('counters', {cookie})).count, 0, 'nothing runs after the close');
				}
				assert.equal(await stateOf(context), before, 'what is hooked, as before');
				const {stdout} = await context.exec('cat /sys/kernel/debug/kprobes/list');
				assert.doesNotMatch(stdout, /fx_plain_/, 'no kprobe is left');
			},
		}),
	),
	defineCase({
		id: 'multi/many-while-called',
		needs: ['entry', 'return', 'device'],
		targets: ['asm', 'asm-fentry', 'c'],
		deadlineMs: 120_000,
		async run(context) {
			const prog = await context.load('count');
			const target = context.target as 'asm' | 'asm-fentry' | 'c';
			const address = await context.address({asm: 'fx_asm', 'asm-fentry': 'fx_asm_fentry', c: 'fx_c'}[target]);
			const addresses = [...(await ownFunctions(context)), address];
			const cookie = addresses.length - 1;
			const loop = await context.start('startLoop', {target, context: 'task', threads: 2, seed: '0x5'});
			for (let n = 0; n < 6; n++) {
				const {probe} = await attachList(context, {prog, point: points[n % 2]!, addresses});
				// Under TCG, a vCPU may go on executing the old code for a short time (see storms.ts).
				while ((await context.ask('infoList', {probe})).counts.at(-1)![0] === 0) context.signal.throwIfAborted();
				await context.ask('close', {probe});
				const {count} = await context.ask('counters', {cookie});
				const after = (await context.ask('counts', {})).begun[target] + 20;
				while ((await context.ask('counts', {})).ended[target] < after) context.signal.throwIfAborted();
				assert.equal((await context.ask('counters', {cookie})).count, count, 'nothing runs after the close');
			}
			assert.equal((await loop.stop()).loop!.bad, 0, 'calls with wrong registers');
		},
	}),
	defineCase({
		id: 'multi/many-hook-fails-beside-a-probe',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 20_000,
		async run(context) {
			const prog = await context.load('count');
			const before = await stateOf(context);
			const names = ['fx_c', 'fx_asm_fentry', 'fx_asm', 'fx_keyed'];
			const call = async (runs: number, what: string) => {
				await context.ask('reset', {});
				for (const target of ['c', 'asm', 'asm-fentry'] as const) await context.call({target});
				assert.equal((await context.ask('counters', {cookie: 0})).count, runs, what);
			};
			for (const point of points) {
				const address = await context.address('fx_c');
				const {probe} = await context.ask('attach', {prog, point, address, cookie: 0});
				for (const time of ['first', 'second']) {
					const {tookNs: _, ...answer} = await context.ask('attachList', {prog, point, symbols: names});
					const failed = {errno: 'EOPNOTSUPP', failed: 3};
					assert.deepEqual(answer, failed, `the ${time} attach of a list whose last function cannot be hooked`);
				}
				await call(1, 'runs beside a list that was not attached');
				const plain = ['fx_asm', 'fx_bare', 'fx_keyed'];
				const {tookNs: _, ...refused} = await context.ask('attachList', {prog, point, symbols: plain});
				assert.deepEqual(refused, {errno: 'EOPNOTSUPP', failed: 2}, 'an attach of functions without a site for ftrace');
				await context.ask('close', {probe});
				await call(0, 'runs after the close');
				const list = await attachList(context, {prog, point, symbols: names.slice(0, 3)});
				await call(1, 'runs of the first function of a list');
				await context.ask('close', {probe: list.probe});
				await call(0, 'runs after the last close');
			}
			assert.equal(await stateOf(context), before, 'probes, references of modules, and hooked functions, as before');
			// It walks the tables of all functions that ever were probed.
			await context.ask('rmmod', {module: 'bprobe'});
			await context.ask('insmod', {module: 'bprobe'});
		},
	}),
	defineCase({
		id: 'multi/many-at-one-function',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 20_000,
		async run(context) {
			const prog = await context.load('count');
			const address = await context.address('fx_asm_fentry');
			// The array of 5,000 is too large for what the kernel gives in one piece without fail.
			const addresses = Array<Hex>(5000).fill(address);
			for (const point of points) {
				const {probe: one} = await context.ask('attach', {prog, point, address, cookie: 0});
				const {probe: many} = await attachList(context, {prog, point, addresses});
				const {probe: last} = await context.ask('attach', {prog, point, address, cookie: 0});
				for (const probe of [one, last]) await context.ask('close', {probe});
				await context.call({target: 'asm-fentry'});
				const {counts} = await context.ask('infoList', {probe: many});
				const wrong = counts.filter(([hits, misses]) => hits !== 1 || misses !== 0);
				assert.deepEqual([counts.length, wrong], [addresses.length, []], 'probes, and those without exactly one hit');
				await context.ask('close', {probe: many});
			}
		},
	}),
	defineCase({
		id: 'multi/many-failures-leave-no-descriptor',
		needs: ['entry', 'device'],
		deadlineMs: 20_000,
		async run(context) {
			const prog = await context.load('count');
			const address = await context.address('fx_keyed');
			// The room for descriptors grows with the highest number in use, also of one that no file belongs to.
			const room = async () => (await context.exec('grep FDSize /proc/$(pidof agent)/status')).stdout;
			const before = await room();
			for (let n = 0; n < 300; n++)
				await assert.rejects(
					context.ask('attach', {prog, point: 'entry', address, cookie: 0}),
					{errno: 'EOPNOTSUPP'},
					'an attach whose hook fails',
				);
			assert.equal(await room(), before, 'room for descriptors');
		},
	}),
	...(
		[
			['one-by-one', 101, [1, 1, 1]],
			['of-a-list', 0, [1, 1, 1]],
			// The list begins with a function that has a probe, and ends with one that has none.
			['of-a-list-and-one', 1, [2, 1, 0]],
		] as const
	).map(([what, singly, expected]) =>
		defineCase({
			id: `multi/many-owner-killed-${what}`,
			needs: ['entry', 'return', 'device'],
			deadlineMs: 60_000,
			async run(context) {
				const prog = await context.load('count');
				const before = await stateOf(context);
				const functions = await ownFunctions(context);
				for (const point of points) {
					// One of them twice, so that two probes leave a function together.
					const addresses = [...functions.slice(0, 100), ...(singly === 1 ? [] : [functions[0]!])];
					const {task} = await context.ask('holdInTask', {prog, point, addresses, singly});
					const runs = async () => {
						await context.ask('reset', {});
						await callEach(context, functions);
						const counters = [];
						for (const cookie of [0, 99, 100]) counters.push((await context.ask('counters', {cookie})).count);
						return counters;
					};
					assert.deepEqual(await runs(), expected, 'runs of the programs');
					const killedAt = BigInt((await context.ask('clock', {})).nowNs);
					await context.ask('taskKill', {task, signal: 'KILL'});
					await context.ask('taskWait', {task, timeoutMs: 20_000});
					const ms = Number(BigInt((await context.ask('clock', {})).nowNs) - killedAt) / 1e6;
					context.evidence(`${point}EndMs`, ms);
					assert.deepEqual(await runs(), [0, 0, 0], 'runs after the owner exits');
					// Closing one after the other would take 2 s: each ftrace update checks every function of the kernel.
					if (singly === 101) await closesFasterThanItAttaches(context, {prog, point, functions, ms});
				}
				assert.equal(
					await stateOf(context),
					before,
					'probes, references of modules, and functions that ftrace hooks, as before',
				);
				await context.ask('rmmod', {module: 'bprobe'});
				await context.ask('insmod', {module: 'bprobe'});
			},
		}),
	),
	defineCase({
		id: 'multi/many-sizes-of-old',
		needs: ['device'],
		deadlineMs: 20_000,
		async run(context) {
			const prog = await context.load('count');
			const address = BigInt(await context.address('fx_c'));
			// The request is valid except for its program: a successful attach would leave a descriptor open in the agent.
			const answers: Record<number, string> = {};
			for (const size of [39, 40, 44, 48, 52, 56, 60, 64, 72]) {
				const data = attachBytes({size, fd: -1, address}, {extra: '00'.repeat(Math.max(0, size - 40))});
				answers[size] = await context.ask('ioctl', {on: 'device', command: attachCommand, data}).then(
					() => 'ok',
					({errno}: {errno: string}) => errno,
				);
			}
			context.evidence('answers', answers);
			assert.equal(answers[39], 'E2BIG', 'the answer to a size of 39');
			for (const size of [40, 44, 48, 52, 56, 60, 64, 72]) assert.equal(answers[size], 'EBADF', `size ${size}`);
			const probe = await context.attach({point: 'entry', program: prog, at: hex(address)});
			for (const size of [216, 220, 224, 232]) {
				const head = Buffer.alloc(size);
				head.writeUInt32LE(size, 0);
				const {data} = await context.ask('ioctl', {
					on: {probe: probe.handle},
					command: infoCommand,
					data: head.toString('hex'),
				});
				const filled = Buffer.from(data!, 'hex');
				assert.equal(filled.readUInt32LE(0), Math.min(size, 224), 'the size that was filled in');
				assert.equal(filled.readBigUInt64LE(8), address, 'the address that was filled in');
				if (size >= 224) assert.equal(filled.readUInt32LE(220), 1, 'the number of functions');
			}
			const beyond = Buffer.alloc(224);
			beyond.writeUInt32LE(224, 0);
			beyond.writeUInt32LE(1, 216);
			await assert.rejects(
				context.ask('ioctl', {on: {probe: probe.handle}, command: infoCommand, data: beyond.toString('hex')}),
				{errno: 'EINVAL'},
				'there is no second function',
			);
			onlyHits(await probe.info(), 0);
		},
	}),
	defineCase({
		id: 'multi/many-bad-lists',
		needs: ['device'],
		deadlineMs: 20_000,
		async run(context) {
			const address = BigInt(await context.address('fx_c'));
			const here = 1n;
			const rows: readonly [what: string, errno: string, request: Parameters<typeof attachBytes>[0]][] = [
				['a list and a function', 'EINVAL', {list: {count: 1, functions: here}, address}],
				['a list and a name', 'EINVAL', {list: {count: 1, functions: here}, symbol: 1n}],
				['a list and a cookie', 'EINVAL', {list: {count: 1, functions: here}, cookie: 1n}],
				['an empty list', 'EINVAL', {list: {count: 0, functions: here}}],
				['a count without a list', 'EINVAL', {list: {count: 1, functions: 0n}}],
				['a list that is too long', 'E2BIG', {list: {count: 2 ** 18 + 1, functions: here}}],
				['the longest list, which cannot be read', 'EFAULT', {list: {count: 2 ** 18, functions: 0xdead0000n}}],
				['a list that cannot be read', 'EFAULT', {list: {count: 1, functions: 0xdead0000n}}],
				['a list whose end cannot be read', 'EFAULT', {list: {count: 2, functions: here}}],
				['a closed descriptor', 'EBADF', {list: {count: 1, functions: here}}],
			];
			for (const [what, errno, request] of rows) {
				// The entry ends at the end of a page, so that a second one cannot be read.
				const patches = request!.list!.functions === here ? [{offset: 40, data: functionBytes(address)}] : [];
				const data = attachBytes({...request, size: 64, fd: 999});
				await assert.rejects(
					context.ask('ioctl', {on: 'device', command: attachCommand, data, patches}),
					{errno},
					what,
				);
			}
		},
	}),
];

/** Ending the owner of 100 descriptors must take less than 30 single closes, because their closes wait together. */
async function closesFasterThanItAttaches(
	context: CaseContext,
	{prog, point, functions, ms}: {prog: number; point: Point; functions: readonly Hex[]; ms: number},
): Promise<void> {
	let one = 0;
	for (const address of functions.slice(0, 10)) {
		const {probe} = await context.ask('attach', {prog, point, address});
		const {nowNs} = await context.ask('clock', {});
		one += Number(BigInt((await context.ask('close', {probe})).closedNs) - BigInt(nowNs)) / 1e6;
	}
	context.evidence(`${point}CloseMs`, one / 10);
	assert.ok(ms < 3 * one, `the end of a hundred took ${ms} ms, ten single closes took ${one} ms`);
}
