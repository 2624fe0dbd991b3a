// SPDX-License-Identifier: GPL-2.0
import {type Case, defineCase} from '../engine/case.ts';
import {type Cell, planCells} from '../engine/plan.ts';
import type {Suite} from '../engine/suite.ts';
import type {Guest, GuestEnd} from '../guest/guest.ts';

/** A guest that only has a console and answers. */
export class FakeGuest implements Guest {
	readonly release = '6.1.0-fake';
	readonly bootMs = 1;
	readonly slowness = 1;
	readonly addresses = new Map();
	async retranslate() {}
	readonly ended: Promise<GuestEnd>;
	/** Answers of `mark`; each is used once, the last one repeatedly. */
	states: {taint: number; left: readonly string[]}[] = [{taint: 0, left: []}];
	readonly asked: string[] = [];
	isDisposed = false;
	readonly #end: (end: GuestEnd) => void;
	readonly #listeners = new Set<(line: string) => void>();
	#text = '';
	#hasEnded = false;

	constructor() {
		const {promise, resolve} = Promise.withResolvers<GuestEnd>();
		this.ended = promise;
		this.#end = resolve;
	}

	say(text: string): void {
		this.#text += `${text}\n`;
		for (const line of text.split('\n')) for (const listener of this.#listeners) listener(line);
	}

	/** From now on, requests get no answer, without any reason. */
	fallSilent(): void {
		this.#hasEnded = true;
	}

	end(end: GuestEnd): void {
		this.#hasEnded = true;
		this.#end(end);
	}

	// It answers the engine's own requests; cases in tests send no others.
	ask = (async (op: string, request: {text?: string}) => {
		if (this.#hasEnded) return new Promise(() => {});
		this.asked.push(op);
		if (op !== 'mark') return {};
		this.say(`[    1.000000] probe-matrix: ${request.text}`);
		return this.states.length > 1 ? this.states.shift() : this.states[0];
	}) as Guest['ask'];

	async exec(command: string) {
		return {code: 0, stdout: command === 'dmesg' ? this.#text : '', stderr: ''};
	}

	async start(): Promise<never> {
		throw new Error('A fake guest runs no commands.');
	}

	async push() {}

	readonly options = new Set<string>();
	hasOption(option: string) {
		return this.options.has(option);
	}

	readonly console = {
		path: '/nowhere/console',
		text: '',
		waitForLine: async (pattern: RegExp, {signal}: {signal?: AbortSignal} = {}) => {
			const line = this.#text.split('\n').find(each => pattern.test(each));
			if (line !== undefined) return line;
			return new Promise<string>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
		},
		refresh: async () => {
			this.console.text = this.#text;
			this.console.end = this.#text.length;
		},
		end: 0,
		from: (position: number) => this.#text.slice(position),
		onLine: (listener: (line: string) => void) => {
			this.#listeners.add(listener);
			return {[Symbol.dispose]: () => void this.#listeners.delete(listener)};
		},
	};

	async [Symbol.asyncDispose]() {
		this.isDisposed = true;
	}
}

/** A suite of nothing; it asks the guest before a case and after a failed one. */
export const fakeSuite: Suite = {
	name: 'fake',
	content: {modules: [], files: async () => []},
	mechanisms: [{id: 'fake', features: new Set(['entry'])}],
	targets: [],
	kernels: {default: 'fake'},
	sources: [],
	cases: async () => [],
	beforeCell: ({ask}) => ask('reset', {}),
	release: ({ask}) => ask('release', {}),
};

/** The only cell of a case that does `run`. */
export function fakeCell(run: Case['run'], {id = 'fake/case', kernel = 'fake', ...rest}: FakeCase = {}): Cell {
	const definition = defineCase({id, needs: ['entry'], deadlineMs: 5000, ...rest, run});
	return planCells({kernels: [kernel], suite: fakeSuite, cases: [definition]})[0]!;
}

type FakeCase = Partial<Omit<Case, 'run'>> & {kernel?: string};
