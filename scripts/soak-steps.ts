// SPDX-License-Identifier: GPL-2.0
/** Takes the steps of a soak in a guest, and checks what each of them says. */
import assert from 'node:assert/strict';
import type {Hex, Point} from '../harness/suites/bprobe/agent-protocol.ts';
import {wordsOf} from '../harness/suites/bprobe/cases/callers.ts';
import {verifier} from '../harness/suites/bprobe/cases/calls.ts';
import {pattern} from '../harness/suites/bprobe/cases/registers.ts';
import {targetSymbols} from '../harness/suites/bprobe/context.ts';
import type {Instance} from '../harness/vm/instance.ts';
import type {Step, VerifiedTarget} from './soak-schedule.ts';

type Agent = Instance['agent'];
type Opening = Exclude<Step, {do: 'end' | 'call' | 'reload'}>;
/** Those of lists read all registers, and keep nothing: they share no counter with what is checked. */
type Program = 'count' | 'read_all' | 'verify_entry' | 'verify_return';
type Ask = Agent['call'];

/** A step that takes longer hangs. */
const deadlineMs = 5 * 60_000;
/** The programs' counters have as many places. */
const cookies = 1024;
const callMs = 60_000;
/** A loop runs below them and does not sleep. Were they probed when it began, a reload would wait for its end. */
const aroundLoops = ['*ioctl*', 'do_syscall_64', 'x64_sys_call'];
/** Documentation/x86/x86_64/mm.rst of Linux: modules lie above the kernel. */
const modulesBegin = 0xffff_ffff_c000_0000n;

/** The agent keeps them open until a module changes: their count of users is compared at the end. */
async function openFixtures(ask: Ask): Promise<void> {
	await ask('counts', {});
}

export class Soak {
	calls = 0;
	/** Functions, of all probes. */
	attached = 0;
	probes = 0;
	reloads = 0;
	/** By reason, of the probes whose calls are checked. */
	readonly misses: Record<string, number> = {};
	readonly #ask: Ask;
	readonly #symbols: Readonly<Record<string, Hex>>;
	readonly #functions: readonly Hex[];
	readonly #programs: Readonly<Record<Program, number>>;
	readonly #periodUs: number;
	/** What ends each step that is open. */
	readonly #open = new Map<number, () => Promise<void>>();

	/** `agent`: of a guest in which nothing is probed. `periodUs`: from one call of a loop in interrupts to the next. */
	static async begin(agent: Agent, {periodUs}: {periodUs: number}): Promise<Soak> {
		const ask: Ask = (op, request) => agent.call(op, request, {deadlineMs});
		await openFixtures(ask);
		const names = Object.values(targetSymbols);
		const found = (await ask('symbols', {names})).addresses;
		const {addresses} = await ask('match', {pattern: '*'});
		const around = new Set<Hex>();
		for (const pattern of aroundLoops)
			for (const address of (await ask('match', {pattern})).addresses) around.add(address);
		const programs: Partial<Record<Program, number>> = {};
		for (const program of ['count', 'read_all', 'verify_entry', 'verify_return'] as const)
			programs[program] = (await ask('load', {program})).prog;
		return new Soak(ask, {
			symbols: Object.fromEntries(names.map(name => [name, found[name]![0]!])),
			// Where a function of a module begins with code that the kernel patches, only an attach finds out.
			functions: addresses.filter(address => BigInt(address) < modulesBegin && !around.has(address)),
			programs: programs as Record<Program, number>,
			periodUs,
		});
	}

	private constructor(
		ask: Ask,
		parts: {
			symbols: Readonly<Record<string, Hex>>;
			functions: readonly Hex[];
			programs: Readonly<Record<Program, number>>;
			periodUs: number;
		},
	) {
		this.#ask = ask;
		this.#symbols = parts.symbols;
		this.#functions = parts.functions;
		this.#programs = parts.programs;
		this.#periodUs = parts.periodUs;
	}

	/** Throws if the step fails, or if what it ends was wrong. */
	async take(step: Step): Promise<void> {
		if (step.do === 'end') return await this.#end(step.id);
		if (step.do === 'reload') {
			await this.#ask('rmmod', {module: 'bprobe'});
			await this.#ask('insmod', {module: 'bprobe'});
			this.reloads++;
		} else if (step.do === 'call') {
			const ret = pattern(2);
			const {after} = await this.#ask('call', {target: 'c', context: step.context, in: pattern(1), ret});
			assert.equal(after.ax, ret.ax, `what a call in a ${step.context} returned`);
			this.calls++;
		} else {
			this.#open.set(step.id, await this.#begin(step));
		}
	}

	async endAll(): Promise<void> {
		for (const id of [...this.#open.keys()]) await this.#end(id);
		for (const prog of Object.values(this.#programs)) await this.#ask('unload', {prog});
		await openFixtures(this.#ask);
	}

	async #end(id: number): Promise<void> {
		const end = this.#open.get(id)!;
		this.#open.delete(id);
		await end();
	}

	async #begin(step: Opening): Promise<() => Promise<void>> {
		const cookie = step.id % cookies;
		switch (step.do) {
			case 'loop':
				return this.#loop(step);
			case 'fork': {
				const {job} = await this.#ask('startForks', {target: step.target, threads: 1, calls: 20, kill: step.kill});
				return async () => {
					const forks = (await this.#ask('stopJob', {job})).forks!;
					assert.equal(forks.bad, 0, 'calls with wrong registers, of tasks that end');
					this.calls += forks.calls;
				};
			}
			case 'churn':
				return this.#churn(step, cookie);
			case 'verify': {
				const probe = await this.#attach(verifier(step.point), step.point, step.target, cookie);
				return async () => {
					const {misses} = await this.#ask('info', {probe});
					for (const [reason, count] of Object.entries(misses)) {
						if (count > 0) this.misses[reason] = (this.misses[reason] ?? 0) + count;
					}
					await this.#ask('close', {probe});
					await this.#verified(cookie);
				};
			}
			case 'list': {
				const addresses = this.#listed(step);
				const answer = await this.#ask('attachList', {prog: this.#programs.read_all, point: step.point, addresses});
				const {probe} = answer;
				assert.ok(probe !== undefined, `attaching a list: ${JSON.stringify(answer)}`);
				this.#count(addresses.length, 1);
				return async () => {
					await this.#ask('close', {probe});
				};
			}
			case 'hold': {
				const {point, singly} = step;
				const addresses = this.#listed(step);
				const request = {prog: this.#programs.read_all, point, addresses, singly: singly ? addresses.length : 0};
				const {task} = await this.#ask('holdInTask', request);
				this.#count(addresses.length, singly ? addresses.length : 1);
				return async () => {
					await this.#ask('taskKill', {task, signal: 'KILL'});
					const {signal} = await this.#ask('taskWait', {task, timeoutMs: callMs});
					assert.equal(signal, 'KILL', 'what ended the owner of probes');
				};
			}
			case 'wait':
				return this.#wait(step.closes, cookie);
		}
	}

	async #loop({id, target, context}: Extract<Step, {do: 'loop'}>): Promise<() => Promise<void>> {
		const {job} = await this.#ask('startLoop', {
			target,
			context,
			seed: `0x${(id * 0x1000).toString(16)}`,
			...(context === 'task' ? {threads: 2} : {periodUs: this.#periodUs}),
		});
		return async () => {
			const {done, bad, firstBad} = (await this.#ask('stopJob', {job})).loop!;
			this.calls += done;
			assert.equal(bad, 0, `calls with wrong registers, of ${done}: ${firstBad ? wordsOf(firstBad, target) : ''}`);
		};
	}

	async #churn({target, point, by}: Extract<Step, {do: 'churn'}>, cookie: number): Promise<() => Promise<void>> {
		const {job} = await this.#ask('startChurn', {
			prog: this.#programs[verifier(point) as Program],
			point,
			address: this.#addressOf(target),
			target,
			cookie,
			by,
			holdUs: 2000,
		});
		return async () => {
			const {errors, lateRounds, deafRounds, rounds, misses, busy} = (await this.#ask('stopJob', {job})).churn!;
			this.#count(rounds, rounds);
			assert.deepEqual(errors, {}, 'errors of attaching and closing again and again');
			assert.equal(lateRounds, 0, 'rounds whose program still ran after its close');
			assert.equal(deafRounds, 0, 'rounds whose program did not run although the target was called');
			if (misses + busy > 0) this.misses.ofChurns = (this.misses.ofChurns ?? 0) + misses + busy;
			await this.#verified(cookie);
		};
	}

	/** A call of the compiled target. No loop's pattern is needed there: its programs only count. */
	async #wait(closes: boolean, cookie: number): Promise<() => Promise<void>> {
		const probe = await this.#attach('count', 'return', 'c', cookie);
		const ret = pattern(2);
		const {task} = await this.#ask('callInTask', {target: 'c', action: 'wait', in: pattern(1), ret});
		while ((await this.#ask('counts', {})).waiting === 0);
		if (closes) await this.#ask('close', {probe});
		return async () => {
			await this.#ask('release', {});
			const {result} = await this.#ask('taskWait', {task, timeoutMs: callMs});
			assert.equal(result?.after.ax, ret.ax, 'what a call returned that had waited');
			this.calls++;
			if (!closes) await this.#ask('close', {probe});
		};
	}

	async #attach(program: string, point: Point, target: VerifiedTarget | 'c', cookie: number): Promise<number> {
		const prog = this.#programs[program as Program];
		const {probe} = await this.#ask('attach', {prog, point, address: this.#addressOf(target), cookie});
		this.#count(1, 1);
		return probe;
	}

	#addressOf(target: VerifiedTarget | 'c'): Hex {
		return this.#symbols[targetSymbols[target]]!;
	}

	#listed({from, size}: {readonly from: number; readonly size: number}): readonly Hex[] {
		const first = Math.floor(from * (this.#functions.length - size));
		return this.#functions.slice(first, first + size);
	}

	#count(functions: number, probes: number): void {
		this.attached += functions;
		this.probes += probes;
	}

	async #verified(cookie: number): Promise<void> {
		const {bad, count, firstBad} = await this.#ask('counters', {cookie});
		assert.equal(bad, 0, `runs of a program that saw a wrong register, of ${count}: ${JSON.stringify(firstBad)}`);
	}
}
