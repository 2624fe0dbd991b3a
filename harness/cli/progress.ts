import {Listr, type ListrTaskWrapper} from 'listr2';
import {type CellEvent, cellTitle, type Event} from '../results/events.ts';
import {formatCell, formatCounts} from '../results/table.ts';

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
				const words =
					event.state === 'ready'
						? `ready after ${event.bootMs} ms, Linux ${event.release}`
						: `${event.state}: ${event.reason}`;
				process.stderr.write(`${event.kernel}: ${words}\n`);
			}
			if (event.type === 'cell')
				process.stderr.write(`${String(++finished).padStart(String(cells).length)}/${cells} ${formatCell(event)}\n`);
		},
		async end() {},
	};
}

/** One line that changes, and a line that stays for each cell that did not pass. */
function liveProgress(cells: number): Progress {
	const finished: CellEvent[] = [];
	const running = new Set<string>();
	const {promise, resolve} = Promise.withResolvers<void>();
	let wrapper: ListrTaskWrapper<unknown, never, never> | undefined;
	const list = new Listr(
		[
			{
				title: 'starting',
				task: async (_context, task) => {
					// Its type parameters only name the renderer.
					wrapper = task as unknown as typeof wrapper;
					await promise;
				},
			},
		],
		{renderer: 'default', fallbackRendererCondition: false},
	);
	const done = list.run();
	return {
		show(event) {
			if (event.type === 'started') running.add(cellTitle(event));
			if (event.type === 'cell') {
				running.delete(cellTitle(event));
				finished.push(event);
				if (event.verdict !== 'pass' && event.verdict !== 'skip' && wrapper) wrapper.output = formatCell(event);
			}
			if (wrapper) wrapper.title = `${finished.length}/${cells} ${formatCounts(finished)} ${[...running].join(' ')}`;
		},
		async end() {
			resolve();
			await done;
		},
	};
}
