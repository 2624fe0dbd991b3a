// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {assembly, callProbed, checkPlace, fixtures, input, output, stack, tailOf} from './calls.ts';
import {argumentRegisters, generalRegisters, hex, onlyHits, sameForCaller, sameRegisters} from './registers.ts';
import {endSleepers, framesInFlight, startSleepers, waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';

/** Return probes on long calls: tasks sleep, are killed or never return; probes come and go during a call. */
export const inFlightCases = [
	defineCase({
		id: 'return/sleeps-and-migrates',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'return', {action: 'sleep', arg: 20});
			assert.notEqual(result.cpuAfter, result.cpuBefore, 'the call ended on another CPU');
			assert.equal(event.cpu, result.cpuAfter, 'the CPU of the program and of the call at its end');
			if (context.claims('arguments-at-return'))
				sameRegisters(context, 'arguments at return', {
					expected: result.in,
					seen: event.entry,
					names: context.claims('registers') ? generalRegisters : argumentRegisters,
				});
			if (context.claims('device')) checkPlace(event, result);
		},
	}),
	defineCase({
		id: 'return/killed-inside',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			const target = context.target === 'vmlinux' ? 'c' : context.target;
			const kill = async (caller: 'task' | 'kthread', returns: number) => {
				const call = {target, context: caller, in: input, ret: output, action: 'wait'} as const;
				const {task, pid} = await context.ask('callInTask', call);
				await waitUntilWaiting(context, 1);
				assert.equal((await context.events()).length, returns, 'returns seen while the task waits');
				await context.ask('taskKill', {task, signal: 'KILL'});
				const {signal} = await context.ask('taskWait', {task, timeoutMs: 3000});
				assert.equal(signal, 'KILL', `how a task ended whose call was in a ${caller}`);
				return pid;
			};
			const pid = await kill('task', 0);
			const events = await context.events();
			assert.deepEqual(
				events.map(({tid}) => tid),
				[pid],
				'one return, of the killed task',
			);
			onlyHits(await probe.info(), 1);
			// The thread is let go with the task that waits for it.
			await kill('kthread', 1);
			onlyHits(await probe.info(), 2);
		},
	}),
	defineCase({
		id: 'return/another-closed-mid-call',
		needs: ['return', 'device'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			const other = await context.attach({point: 'return', at: await context.address('fx_c')});
			const tasks = await startSleepers(context, 3);
			await other.close();
			await endSleepers(context, tasks);
			onlyHits(await probe.info(), 3);
		},
	}),
	defineCase({
		id: 'return/never-returns',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const calls = 100;
			const entry = context.claims('entry') ? await context.attach({point: 'entry', program: 'count'}) : undefined;
			const probe = await context.attach({point: 'return'});
			for (let n = 0; n < calls; n++) await context.call({context: 'kthread', action: 'exit', in: input, ret: output});
			if (entry) assert.equal((await entry.info()).hits, calls, 'calls seen at the entry');
			assert.equal((await context.events()).length, 0, 'runs of the return program');
			// The frames of dead tasks are freed when the kernel frees the tasks.
			while (context.claims('device') && (await framesInFlight(context)) > 0) context.signal.throwIfAborted();
			await context.call({in: input, ret: output});
			onlyHits(await probe.info(), 1);
		},
	}),
	defineCase({
		id: 'return/dead-tasks-leave-no-memory',
		needs: ['return', 'device'],
		missing: kernel => (kernel.hasOption('CONFIG_KASAN') ? 'KASAN keeps what is freed for a while.' : undefined),
		deadlineMs: 30_000,
		async run(context) {
			const tasks = async () => {
				const {stdout} = await context.exec('cat /proc/slabinfo');
				return Number(/^task_struct +(\d+) /m.exec(stdout)![1]);
			};
			const before = await tasks();
			await context.attach({point: 'return', program: 'count', at: await context.address('do_task_dead')});
			// None of these tasks returns from its last function.
			await context.exec('n=0; while [ $n -lt 400 ]; do /bin/true; n=$((n + 1)); done');
			while ((await framesInFlight(context)) > 0) context.signal.throwIfAborted();
			const grown = (await tasks()) - before;
			assert.ok(grown < 200, `of 400 tasks that have ended, the kernel keeps ${grown}`);
		},
	}),
	defineCase({
		id: 'return/exec-by-a-thread',
		needs: ['return', 'device'],
		deadlineMs: 10_000,
		async run(context) {
			// In this function the thread becomes the thread group leader: pid and start time change while the frame exists.
			const names = ['begin_new_exec', 'flush_old_exec'];
			const {addresses} = await context.ask('symbols', {names});
			const at = names.flatMap(name => addresses[name] ?? [])[0];
			assert.ok(at, `this kernel has none of ${names.join(', ')}`);
			const probe = await context.attach({point: 'return', at});
			for (let n = 1; n <= 3; n++) {
				const {pid, status} = await context.ask('execByThread', {});
				assert.equal(status, 0, 'the exit status of the task');
				const events = await context.events();
				assert.deepEqual(
					events.slice(n - 1).map(({tid, regs}) => ({tid, ax: regs.ax})),
					[{tid: pid, ax: '0x0'}],
					'the last run: its task and return value',
				);
			}
			onlyHits(await probe.info(), 3);
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'return/attached-mid-call',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const withFrame of [false, true]) {
				await context.ask('reset', {});
				const old = withFrame ? await context.attach({point: 'return', program: 'count'}) : undefined;
				const {task} = await context.ask('callInTask', {
					target: context.target === 'vmlinux' ? 'c' : context.target,
					action: 'wait',
					in: input,
					ret: output,
				});
				await waitUntilWaiting(context, 1);
				const probe = await context.attach({point: 'return'});
				await context.ask('release', {});
				const {result} = await context.ask('taskWait', {task, timeoutMs: 3000});
				assert.ok(result, 'the call returned');
				assert.equal((await context.events()).length, 0, 'a call that began before the attach is not seen');
				if (old) onlyHits(await old.info(), 1);
				await context.call({in: input, ret: output});
				onlyHits(await probe.info(), 1);
				await probe.close();
				await old?.close();
			}
		},
	}),
	defineCase({
		id: 'return/detached-mid-call',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'return'});
			const {task} = await context.ask('callInTask', {
				target: context.target === 'vmlinux' ? 'c' : context.target,
				action: 'wait',
				in: input,
				ret: output,
				stack,
			});
			await waitUntilWaiting(context, 1);
			await probe.close();
			assert.equal((await context.ask('counts', {})).waiting, 1, 'the close did not wait for the call');
			await context.ask('release', {});
			const {result} = await context.ask('taskWait', {task, timeoutMs: 3000});
			assert.ok(result, 'the call returned');
			sameForCaller(context, result, {unprobed});
			assert.equal((await context.events()).length, 0, 'no program ran at its return');
			if (context.claims('device')) assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'return/sixty-four-sleepers',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			const tasks = await startSleepers(context, 64);
			if (context.claims('device')) assert.equal(await framesInFlight(context), 64, 'frames in flight');
			await endSleepers(context, tasks);
			const withArguments = context.claims('arguments-at-return');
			const seen = (await context.events()).map(({tid, entry}) => (withArguments ? `${tid} ${entry.di}` : `${tid}`));
			const expected = tasks.map(({pid}, n) => (withArguments ? `${pid} ${hex(n)}` : `${pid}`));
			assert.deepEqual(seen.toSorted(), expected.toSorted(), 'tasks and arguments of the runs');
			onlyHits(await probe.info(), 64);
		},
	}),
	defineCase({
		id: 'return/maxactive',
		needs: ['return', 'maxactive'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const maxactive = 6;
			for (const calls of [maxactive, maxactive + 5]) {
				const probe = await context.attach({point: 'return', maxactive});
				const tasks = await startSleepers(context, calls);
				await endSleepers(context, tasks);
				const {hits, misses} = await probe.info();
				context.evidence(`calls ${calls}`, {hits, misses});
				assert.equal(hits, maxactive, `returns seen of ${calls} calls in flight`);
				const missed = Object.values(misses).reduce((sum, count) => sum + count, 0);
				if (context.has('misses')) assert.equal(missed, calls - maxactive, 'the others are counted');
				await probe.close();
			}
		},
	}),
	...(['', '-of-a-tail-call'] as const).map(suffix =>
		defineCase({
			id: `return/unload-while-asleep-inside${suffix}`,
			needs: ['return', 'device'],
			targets: suffix === '' ? fixtures : assembly,
			deadlineMs: 20_000,
			async run(context) {
				const target = context.target === 'vmlinux' ? 'c' : context.target;
				const [called, ...outer] = suffix === '' ? [target] : tailOf(target);
				const call = {target: called, in: input, ret: output, stack} as const;
				const unprobed = await context.call(call);
				const probes = [await context.attach({point: 'return'})];
				for (const symbol of outer)
					probes.push(await context.attach({point: 'return', at: await context.address(symbol)}));
				const inside: {readonly task: number}[] = [];
				for (let n = 0; n < 8; n++) inside.push(await context.ask('callInTask', {...call, action: 'wait', depth: n}));
				await waitUntilWaiting(context, 8);
				for (const probe of probes) await probe.close();
				await context.ask('rmmod', {module: 'bprobe'});
				await tidily(
					async () => {
						assert.equal((await context.ask('counts', {})).waiting, 8, 'the unload did not wait for the calls');
						await context.ask('release', {});
						for (const {task} of inside) {
							const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
							assert.ok(result, 'the call returned without the module');
							sameForCaller(context, result, {unprobed});
						}
					},
					async () => {
						await context.ask('insmod', {module: 'bprobe'});
					},
				);
				const again = await context.attach({point: 'return'});
				await context.call({in: input, ret: output});
				onlyHits(await again.info(), 1);
			},
		}),
	),
];
