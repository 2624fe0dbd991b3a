// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {buildShared, type GuestBuild} from '../../build/guest-build.ts';
import {firstError} from '../../build/make.ts';
import type {Consoles} from '../../engine/consoles.ts';
import type {Cell} from '../../engine/plan.ts';
import {runKernels} from '../../engine/run-kernels.ts';
import type {Isolation} from '../../guest/isolation.ts';
import type {AcceleratorName} from '../../host/accelerator.ts';
import {BuildError, messageOf} from '../../host/errors.ts';
import {KernelUnavailableError} from '../../kernels/unavailable.ts';
import {cellTitle} from '../../results/run/cell-name.ts';
import type {CellEvent} from '../../results/run/events.ts';
import {type Attempt, attemptsOf} from '../engine/attempt.ts';
import {type Candidate, CandidateError, HostFaultError, type Prepared, type TestBench} from '../engine/candidate.ts';
import {moduleFingerprint} from './module-fingerprint.ts';
import {guestCells, type OpenPredicate, type Predicate} from './predicate.ts';

export type BuiltCandidate = {readonly guestBuild: GuestBuild} & Pick<Prepared, 'isReused' | 'lost'>;

export type GuestTestBenchOptions = {
	readonly predicate: Predicate;
	/** Builds everything that a candidate's guests need. */
	readonly make: (candidate: Candidate) => Promise<BuiltCandidate>;
	/** Builds what all candidates share. A failure here is not the candidate's. */
	readonly makeShared?: () => Promise<unknown>;
	/** A candidate that should boot: the good end. It tells a broken candidate from a broken host. */
	readonly reference: Candidate;
	/** Directory for consoles. */
	readonly directory: string;
	readonly signal: AbortSignal;
	readonly isolation?: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	/** Runs cells; tests have guests of their own. */
	readonly run?: typeof runKernels;
};

type Ready = BuiltCandidate & {readonly open: OpenPredicate};

/** Runs attempts in guests with the engine that runs the matrix. */
export class GuestTestBench implements TestBench {
	readonly #options: GuestTestBenchOptions;
	readonly #ready = new Map<string, Promise<Ready>>();
	#hasBooted = false;
	#guests = 0;

	constructor(options: GuestTestBenchOptions) {
		this.#options = options;
	}

	async prepare(candidate: Candidate): Promise<Prepared> {
		const isKnown = this.#ready.has(candidate.id);
		const {guestBuild, open, isReused, lost = []} = await this.#get(candidate);
		return {lost, fingerprint: await moduleFingerprint(guestBuild, open.fingerprint), isReused: isReused || isKnown};
	}

	async ask(candidate: Candidate, repeats: number): Promise<readonly Attempt[]> {
		const {guestBuild, open} = await this.#get(candidate);
		if ('symptom' in open) {
			const attempt: Attempt = {end: 'fail', symptoms: [open.symptom], message: open.message};
			return Array.from({length: repeats}, () => attempt);
		}
		const cells = open.cells(repeats);
		let {events, failure, consolePath} = await this.#run(guestBuild, cells);
		// A first failure may be a transient fault of the host.
		if (failure !== undefined) ({events, failure, consolePath} = await this.#run(guestBuild, cells));
		if (failure !== undefined) {
			const line = `does not boot: ${failure.split('\n', 1)[0]}`;
			if (!(await this.#doOthersBoot(candidate))) throw new HostFaultError(`${candidate.title} ${line}`);
			throw new CandidateError(line);
		}
		return attemptsOf(events).map(attempt => ({...(consolePath !== undefined && {consolePath}), ...attempt}));
	}

	async #get(candidate: Candidate): Promise<Ready> {
		let ready = this.#ready.get(candidate.id);
		if (!ready) {
			ready = this.#make(candidate);
			// Candidates are tested one at a time; earlier ones are in the cache.
			this.#ready.clear();
			this.#ready.set(candidate.id, ready);
		}
		return ready;
	}

	async #make(candidate: Candidate): Promise<Ready> {
		const {signal, makeShared = async () => buildShared(this.#options.predicate.suite.content, {signal})} =
			this.#options;
		await makeShared();
		try {
			const made = await this.#options.make(candidate);
			return {...made, open: await this.#options.predicate.open(made.guestBuild)};
		} catch (error) {
			signal.throwIfAborted();
			if (error instanceof BuildError) {
				// The first line names what does not build, the others are the compiler's.
				const [first, ...words] = error.message.split('\n');
				throw new CandidateError(`does not build: ${firstError(words.join('\n') || first!)}`, {cause: error});
			}
			if (error instanceof KernelUnavailableError) throw new CandidateError(messageOf(error), {cause: error});
			throw error;
		}
	}

	async #run(guestBuild: GuestBuild, cells: readonly Cell[]) {
		const {signal, isolation = 'reuse', accelerator, run = runKernels} = this.#options;
		const titles = cells.map(cellTitle);
		const isAsked = (event: CellEvent) =>
			titles.some(title => cellTitle(event) === title || event.case.startsWith(`${title}/`));
		const events: CellEvent[] = [];
		let failure: string | undefined;
		let consolePath: string | undefined;
		const consoles: Consoles = {
			id: path.basename(this.#options.directory),
			consoles: this.#options.directory,
			consolePath: kernel => (consolePath = this.#newConsole(kernel)),
		};
		await run({
			suite: this.#options.predicate.suite,
			cells,
			signal,
			isolation,
			accelerator,
			consoles,
			isConfirming: false,
			prepare: async () => guestBuild,
			emit(event) {
				// The leak scan that follows on some kernels is not part of the predicate.
				if (event.type === 'cell' && isAsked(event)) events.push(event);
				if (event.type === 'kernel' && event.state !== 'ready') failure = event.reason ?? event.state;
			},
		});
		this.#hasBooted ||= failure === undefined;
		return {events, failure, consolePath};
	}

	#newConsole(kernel: string): string {
		const name = `${kernel.replaceAll(/[^\w.+-]/g, '_')}-${Date.now().toString(36)}-${++this.#guests}.console`;
		return path.join(this.#options.directory, name);
	}

	/** Boots the reference, to tell a candidate that does not boot from a host on which nothing boots. */
	async #doOthersBoot(candidate: Candidate): Promise<boolean> {
		const {reference, make} = this.#options;
		if (candidate.id === reference.id) return this.#hasBooted;
		const {guestBuild} = await make(reference);
		const cells = guestCells(
			{
				suite: this.#options.predicate.suite,
				...{kernel: guestBuild.kernel.id, id: 'bisect/boots', deadlineMs: 5000, repeat: 1},
			},
			async () => {},
		);
		const {events} = await this.#run(guestBuild, cells);
		return events.some(({verdict}) => verdict === 'pass');
	}
}
