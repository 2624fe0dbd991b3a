import path from 'node:path';
import {buildShared, type Payload} from '../build/payload.ts';
import type {AcceleratorName} from '../host/accelerator.ts';
import {BuildError, messageOf} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {Consoles} from '../matrix/consoles.ts';
import type {Isolation} from '../matrix/isolation.ts';
import type {Cell} from '../matrix/plan.ts';
import {runKernels} from '../matrix/run-kernels.ts';
import {type CellEvent, cellTitle} from '../results/events.ts';
import {fingerprintOf} from './fingerprint.ts';
import {firstError} from './module-question.ts';
import {guestCells, type OpenQuestion, type Question} from './question.ts';
import {HostFaultError, type Laboratory, type Prepared, type Subject, SubjectError} from './subject.ts';
import {type Trial, trialsOf} from './trial.ts';

export type Made = {readonly payload: Payload; readonly isReused: boolean};

export type GuestLaboratoryOptions = {
	readonly question: Question;
	/** All that guests of a subject need. */
	readonly make: (subject: Subject) => Promise<Made>;
	/** What the guests of all subjects share; where that does not build, it is no subject's fault. */
	readonly makeShared?: () => Promise<unknown>;
	/** One that boots if any does: the good end. */
	readonly reference: Subject;
	/** Where consoles are kept. */
	readonly directory: string;
	readonly signal: AbortSignal;
	readonly isolation?: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
};

type Ready = Made & {readonly open: OpenQuestion};

/** Asks in guests, by the engine that runs the matrix. */
export class GuestLaboratory implements Laboratory {
	readonly #options: GuestLaboratoryOptions;
	readonly #ready = new Map<string, Promise<Ready>>();
	#hasBooted = false;
	#guests = 0;

	constructor(options: GuestLaboratoryOptions) {
		this.#options = options;
	}

	async prepare(subject: Subject): Promise<Prepared> {
		const isKnown = this.#ready.has(subject.id);
		const {payload, open, isReused} = await this.#get(subject);
		return {fingerprint: await fingerprintOf(payload, open.fingerprint), isReused: isReused || isKnown};
	}

	async ask(subject: Subject, repeats: number): Promise<readonly Trial[]> {
		const {payload, open} = await this.#get(subject);
		if ('symptom' in open) {
			const trial: Trial = {end: 'fail', symptoms: [open.symptom], message: open.message};
			return Array.from({length: repeats}, () => trial);
		}
		const cells = open.cells(repeats);
		let {events, failure, consolePath} = await this.#run(payload, cells);
		// Once may be the host's bad moment.
		if (failure !== undefined) ({events, failure, consolePath} = await this.#run(payload, cells));
		if (failure !== undefined) {
			const line = `does not boot: ${failure.split('\n', 1)[0]}`;
			if (!(await this.#doOthersBoot(subject))) throw new HostFaultError(`${subject.title} ${line}`);
			throw new SubjectError(line);
		}
		return trialsOf(events).map(trial => ({...(consolePath !== undefined && {consolePath}), ...trial}));
	}

	async #get(subject: Subject): Promise<Ready> {
		let ready = this.#ready.get(subject.id);
		if (!ready) {
			ready = this.#make(subject);
			// One is asked after the other; what was made before lies in the cache.
			this.#ready.clear();
			this.#ready.set(subject.id, ready);
		}
		return ready;
	}

	async #make(subject: Subject): Promise<Ready> {
		const {signal, makeShared = async () => buildShared({signal})} = this.#options;
		await makeShared();
		try {
			const made = await this.#options.make(subject);
			return {...made, open: await this.#options.question.open(made.payload)};
		} catch (error) {
			signal.throwIfAborted();
			if (error instanceof BuildError) {
				throw new SubjectError(`does not build: ${firstError(error.message)}`, {cause: error});
			}
			if (error instanceof KernelUnavailableError) throw new SubjectError(messageOf(error), {cause: error});
			throw error;
		}
	}

	async #run(payload: Payload, cells: readonly Cell[]) {
		const {signal, isolation = 'reuse', accelerator} = this.#options;
		const titles = new Set(cells.map(cellTitle));
		const events: CellEvent[] = [];
		let failure: string | undefined;
		let consolePath: string | undefined;
		const consoles: Consoles = {
			id: path.basename(this.#options.directory),
			consoles: this.#options.directory,
			consolePath: kernel => (consolePath = this.#newConsole(kernel)),
		};
		await runKernels({
			cells,
			signal,
			isolation,
			accelerator,
			consoles,
			isConfirming: false,
			prepare: async () => payload,
			emit(event) {
				// The scan for leaks that follows on some kernels is no part of the question.
				if (event.type === 'cell' && titles.has(cellTitle(event))) events.push(event);
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

	/** Tells a kernel that does not boot from a host on which none does any more. */
	async #doOthersBoot(subject: Subject): Promise<boolean> {
		const {reference, make} = this.#options;
		if (subject.id === reference.id) return this.#hasBooted;
		const {payload} = await make(reference);
		const cells = guestCells(
			{kernel: payload.kernel.id, id: 'bisect/boots', deadlineMs: 5000, repeat: 1},
			async () => {},
		);
		const {events} = await this.#run(payload, cells);
		return events.some(({verdict}) => verdict === 'pass');
	}
}
