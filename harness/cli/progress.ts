import {stripVTControlCharacters} from 'node:util';
import {Listr, type ListrTaskWrapper} from 'listr2';
import {type CellEvent, cellTitle, type Event, type KernelEvent} from '../results/events.ts';
import {kernelWords} from '../results/kernel-summary.ts';
import {formatCell, formatCounts} from '../results/table.ts';
import {forJob} from './job-output.ts';

/** Shows events while a run goes on, on stderr. */
export type Progress = {show(event: Event): void; end(): Promise<void>};

export function openProgress({cells, isTerminal}: {cells: number; isTerminal: boolean}): Progress {
	return isTerminal ? liveProgress(cells) : lineProgress(cells);
}

/** A line for each finished cell: for CI and files. */
function lineProgress(cells: number): Progress {
	let finished = 0;
	return {
		show(event) {
			if (event.type === 'kernel') {
				const line = `${event.kernel}: ready after ${event.bootMs} ms, Linux ${event.release}\n`;
				// What a guest said before it failed may be part of the reason.
				process.stderr.write(event.state === 'ready' ? line : forJob(`${failureLine(event)}\n`));
				finished += event.notRun ?? 0;
			}
			if (event.type === 'cell')
				process.stderr.write(
					`${String(++finished).padStart(String(cells).length)}/${Math.max(cells, finished)} ${formatCell(event)}\n`,
				);
		},
		async end() {},
	};
}

/** One line that changes, and a line that stays for each cell that did not pass. */
function liveProgress(cells: number): Progress {
	const finished: CellEvent[] = [];
	let notRun = 0;
	/** Which kernel each is run on. */
	const running = new Map<string, string>();
	const {promise, resolve} = Promise.withResolvers<void>();
	let task: ListrTaskWrapper<unknown, never, never> | undefined;
	let done: Promise<unknown> | undefined;
	// Only now: listr2 holds back what others write, and until the first cell that is what is downloaded and built.
	const begin = () =>
		new Listr(
			[
				{
					title: 'booting',
					task: async (_context, wrapper) => {
						// Its type parameters only name the renderer.
						task = wrapper as unknown as typeof task;
						await promise;
					},
					rendererOptions: {persistentOutput: true, outputBar: Number.POSITIVE_INFINITY},
				},
			],
			{renderer: 'default', fallbackRendererCondition: false},
		).run();
	return {
		show(event) {
			if (event.type === 'started') {
				done ??= begin();
				running.set(cellTitle(event), event.kernel);
			}
			if (event.type === 'kernel' && event.state !== 'ready') {
				notRun += event.notRun ?? 0;
				for (const [title, kernel] of running) if (kernel === event.kernel) running.delete(title);
				if (task) task.output = failureLine(event);
				else process.stderr.write(forJob(`${failureLine(event)}\n`));
			}
			if (event.type === 'cell') {
				running.delete(cellTitle(event));
				finished.push(event);
				if (event.verdict !== 'pass' && event.verdict !== 'skip' && task) task.output = formatCell(event);
			}
			if (task)
				task.title = fit(`${finished.length + notRun}/${cells} ${formatCounts(finished, notRun)}`, [...running.keys()]);
		},
		async end() {
			resolve();
			await done;
		},
	};
}

/** In one line; the rest of what is known comes with the failures. */
function failureLine({kernel, state, reason = '', notRun = 0}: KernelEvent): string {
	return `${kernel}: ${state}: ${kernelWords({reason, notRun})}`;
}

/** As many of the names as the terminal's width has room for: a line that wraps makes the display jump. */
function fit(start: string, names: readonly string[]): string {
	let room = (process.stderr.columns ?? 80) - stripVTControlCharacters(start).length - 4;
	const shown = names.filter(name => {
		room -= name.length + 1;
		return room >= 0;
	});
	return [start, ...shown].join(' ');
}
