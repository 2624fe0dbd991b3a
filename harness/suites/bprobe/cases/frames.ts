// SPDX-License-Identifier: GPL-2.0
import type {KernelFacts} from '../../../engine/case.ts';
import type {Hex} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase, type Probe} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {bypassed, input, output} from './calls.ts';
import {onlyHits} from './registers.ts';
import {allowCpus, endSleepers, framesInFlight, startSleepers, waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';

type Attach = (at?: Hex) => Promise<Probe>;

/** Loads bprobe anew, with so many frames, and at the end with as many as before. 64 are the fewest. */
async function withFrames(context: CaseContext, frames: number, run: (attach: Attach) => Promise<void>): Promise<void> {
	await context.ask('rmmod', {module: 'bprobe'});
	await context.ask('insmod', {module: 'bprobe', parameters: `frames=${frames}`});
	const probes: Probe[] = [];
	const attach = async (at?: Hex) => {
		probes.push(await context.attach({point: 'return', program: 'count', ...(at !== undefined && {at})}));
		return probes.at(-1)!;
	};
	await tidily(
		() => run(attach),
		async () => {
			for (const probe of probes) await probe.close();
			await context.ask('rmmod', {module: 'bprobe'});
			await context.ask('insmod', {module: 'bprobe'});
		},
	);
}

/** Calls of the target by as many tasks, which are all in flight at once, and while `meanwhile` runs. */
async function callTogether(context: CaseContext, count: number, meanwhile?: () => Promise<unknown>): Promise<void> {
	const tasks = await startSleepers(context, count);
	await meanwhile?.();
	// They return with or without a frame.
	await endSleepers(context, tasks);
}

/** So many calls of the target, each inside of the one before. */
async function recurse(context: CaseContext, calls: number): Promise<void> {
	const {after} = await context.call({in: input, ret: output, action: 'recurse', arg: calls - 1});
	assert.equal(after.ax, output.ax, 'the return value of the outermost call');
}

const noRoomToRecurse = (kernel: KernelFacts) =>
	kernel.hasOption('CONFIG_KCSAN')
		? 'The stack of a task has no room for 64 levels of instrumented functions.'
		: undefined;

/** Calls of the probed target, each by a thread of its own that lives until the last one has called. */
async function callByThreads(context: CaseContext, probe: Probe, threads: number) {
	const job = await context.start('startStaying', {target: 'asm-fentry', threads});
	for (;;) {
		const {hits, misses} = await probe.info();
		if (hits + misses.noFrame! >= threads) break;
		context.signal.throwIfAborted();
	}
	const info = await probe.info();
	assert.deepEqual((await job.stop()).stayed, {called: threads, failed: 0}, 'threads, and their calls');
	return info;
}

/** The module has frames for so many calls in flight, and places for so many tasks. */
export const frameCases = [
	defineCase({
		id: 'miss/no-frame',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 20_000,
		run: async context =>
			withFrames(context, 64, async attach => {
				const probe = await attach();
				const entry = await context.attach({point: 'entry', program: 'read_all'});
				await callTogether(context, 70);
				const info = await probe.info();
				onlyHits(info, 64, {noFrame: 6});
				onlyHits(await entry.info(), 70);
				await entry.close();

				const outer = await attach(await context.address('fx_chain_2'));
				for (let n = 0; n < 200; n++) await context.call(bypassed);
				onlyHits(await outer.info(), 200);
				assert.deepEqual((await probe.info()).misses, info.misses, 'frames of calls without a return are freed');
			}),
	}),
	defineCase({
		id: 'miss/no-frame-not-in-interrupt',
		needs: ['return', 'device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 20_000,
		run: async context =>
			withFrames(context, 64, async () => {
				const [prog, address] = [await context.load('count'), await context.address(targetSymbols[context.target])];
				const {probe} = await context.ask('attach', {prog, point: 'return', address, notInInterrupt: true});
				await callTogether(context, 70, async () => {
					// These have no frame either, but the probe does not want them.
					for (let n = 0; n < 5; n++) await context.call({context: 'hardirq', in: input, ret: output});
				});
				onlyHits({...(await context.ask('info', {probe})), of: 'the probe'}, 64, {noFrame: 6});
				await context.ask('close', {probe});
			}),
	}),
	defineCase({
		id: 'miss/frames-of-calls-that-outlive-their-probe',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 30_000,
		run: async context =>
			withFrames(context, 64, async attach => {
				for (let round = 0; round < 4; round++) {
					const probe = await attach();
					await callTogether(context, 20, () => probe.close());
				}
				const probe = await attach();
				await callTogether(context, 60);
				onlyHits(await probe.info(), 60);
			}),
	}),
	defineCase({
		id: 'miss/no-frame-in-a-nested-call',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 20_000,
		missing: noRoomToRecurse,
		run: async context =>
			withFrames(context, 64, async attach => {
				const probe = await attach();
				await recurse(context, 65);
				onlyHits(await probe.info(), 64, {noFrame: 1});
			}),
	}),
	defineCase({
		id: 'miss/frames-of-another-cpu',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 20_000,
		run: async context =>
			withFrames(context, 64, async attach => {
				const probe = await attach();
				// Calls begin on CPU 0 and end on CPU 1, which gets their frames. It must leave some to the others.
				await allowCpus(context, 1);
				await tidily(
					async () => {
						for (let n = 0; n < 64; n++) {
							const {cpuBefore, cpuAfter} = await context.call({action: 'sleep', arg: 1, in: input, ret: output});
							assert.deepEqual([cpuBefore, cpuAfter], [0, 1], 'the CPUs of a call');
						}
						await callTogether(context, 50);
					},
					() => allowCpus(context, 3),
				);
				onlyHits(await probe.info(), 114);
			}),
	}),
	defineCase({
		id: 'miss/no-place-left',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 20_000,
		run: async context =>
			withFrames(context, 64, async attach => {
				const probe = await attach();
				// The table has 512 places.
				onlyHits(await callByThreads(context, probe, 520), 520);
			}),
	}),
	defineCase({
		id: 'miss/full-sets',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 60_000,
		// An agent that had many threads keeps their stacks mapped, and so many copies of that do not fit into a guest.
		isAlone: true,
		run: async context =>
			// 512 frames make a table of 128 sets with eight places each: so many tasks fill some sets, and few too many.
			withFrames(context, 512, async attach => {
				const probe = await attach();
				await callTogether(context, 450);
				const {hits, misses} = await probe.info();
				context.evidence('misses', misses.noFrame);
				assert.equal(hits + misses.noFrame!, 450, 'hits and misses together');
				assert.ok(misses.noFrame! < 20, `${misses.noFrame} tasks had no place`);
			}),
	}),
	defineCase({
		id: 'miss/places-of-the-dead',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 60_000,
		run: async context =>
			withFrames(context, 64, async attach => {
				const probe = await attach();
				const exit = {target: 'asm-fentry', context: 'kthread', action: 'exit', in: input, ret: output} as const;
				for (let round = 0; round < 60; round++) {
					for (let n = 0; n < 10; n++) await context.call(exit);
					// A new task at the address of a dead one would take its place over. These keep the address, and need no place.
					await context.start('startStaying', {target: 'c', threads: 14});
				}
				while ((await framesInFlight(context)) > 0) context.signal.throwIfAborted();
				onlyHits(await callByThreads(context, probe, 200), 200);
			}),
	}),
	defineCase({
		id: 'miss/frames-of-zombies',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 30_000,
		missing: noRoomToRecurse,
		run: async context =>
			withFrames(context, 64, async attach => {
				await attach(await context.address('do_exit'));
				// A hundred children of a process that does not wait for them. They end when it is what it stays.
				const {stdout: parent} = await context.exec(
					`cd $(mktemp -d) && mkfifo end
					sh -c 'n=0; while [ $n -lt 100 ]; do read x < end & n=$((n + 1)); done; exec sleep 1000' > /dev/null 2>&1 &
					until grep -q sleep /proc/$!/comm; do sleep 0.01; done
					exec 3<> end
					yes "" | head -n 100 >&3
					while grep -qs "^State:.[^Z]" $(grep -ls "^PPid:.$!$" /proc/[0-9]*/status); do sleep 0.1; done
					echo $!`,
				);
				await tidily(
					async () => {
						const probe = await attach();
						// A call that finds no frame makes the module look for zombies.
						await recurse(context, 64);
						for (let n = 0; n < 500 && (await framesInFlight(context)) > 0; n++) context.signal.throwIfAborted();
						assert.equal(await framesInFlight(context), 0, 'frames that zombies keep');
						const {hits, misses} = await probe.info();
						// The other CPU may keep a quarter of the frames for itself.
						await recurse(context, 48);
						onlyHits(await probe.info(), hits + 48, misses);
					},
					async () => {
						await context.exec(`kill ${parent}`);
					},
				);
			}),
	}),
	defineCase({
		id: 'return/frames-of-nested-calls',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 10_000,
		async run(context) {
			await context.attach({point: 'return', program: 'count'});
			for (const n of [1, 2, 3])
				await context.attach({point: 'return', program: 'count', at: await context.address(`fx_chain_${n}`)});
			const call = {target: 'asm-fentry', action: 'wait', depth: 3, in: input, ret: output} as const;
			const {task} = await context.ask('callInTask', call);
			await waitUntilWaiting(context, 1);
			assert.equal(await framesInFlight(context), 4, 'frames in flight, all of one task');
			await context.ask('release', {});
			await context.ask('taskWait', {task, timeoutMs: 5000});
			assert.equal(await framesInFlight(context), 0, 'frames in flight after the return');
		},
	}),
];
