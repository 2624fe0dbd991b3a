// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../host/errors.ts';
import {nearest} from '../host/nearest.ts';
import {caseTitle} from '../results/run/cell-name.ts';
import type {CellName} from '../results/run/events.ts';
import type {Case} from './case.ts';
import type {Mechanism, Suite} from './suite.ts';

export type Cell = CellName & {
	readonly suite: Suite;
	readonly definition: Case;
	readonly mechanismUsed: Mechanism;
	readonly repeat: number;
	/** The globs that chose the cell; none if all cells were wanted. */
	readonly match: readonly string[];
};

export type PlanOptions = {
	readonly kernels: readonly string[];
	readonly suite: Suite;
	/** Of the suite, or made for one use. */
	readonly cases: readonly Case[];
	/** Globs on `suite/name` or `suite/name[target]`: `*` is any characters, `?` is one. Default: all cases. */
	readonly match?: readonly string[];
	readonly repeat?: number;
	/** Ids of mechanisms, or `all`. Default: the suite's first. */
	readonly mechanisms?: readonly string[] | undefined;
};

/** Kernels × mechanisms × cases × targets, in the order of `cases`. Throws UsageError if a glob matches no case. */
export function planCells({kernels, suite, cases, match = [], repeat = 1, mechanisms}: PlanOptions): readonly Cell[] {
	const patterns = match.map(glob => ({glob, pattern: globToRegExp(glob), matched: false}));
	const cells: Cell[] = [];
	for (const kernel of kernels)
		for (const mechanism of chooseMechanisms(suite, mechanisms))
			for (const definition of cases)
				for (const target of definition.targets ?? [undefined]) {
					const name: CellName = {
						kernel,
						mechanism: mechanism.id,
						case: definition.id,
						...(target && {target}),
						...(mechanism !== suite.mechanisms[0] && {alternative: true}),
					};
					const matching = patterns.filter(
						({pattern, glob}) =>
							pattern.test(definition.id) || pattern.test(caseTitle(name)) || matchesBelow(glob, definition.id),
					);
					for (const pattern of matching) pattern.matched = true;
					if (patterns.length > 0 && matching.length === 0) continue;
					for (let round = 0; round < repeat; round++) {
						cells.push({
							...name,
							suite,
							definition,
							mechanismUsed: mechanism,
							repeat: round,
							match,
						});
					}
				}
	const idle = patterns.find(pattern => !pattern.matched);
	if (idle) {
		const near = nearest(
			idle.glob,
			cases.map(({id}) => id),
			6,
		);
		throw new UsageError(`No case matches ${idle.glob}${near ? `; did you mean ${near}?` : '.'}`);
	}
	return cells;
}

/** The mechanisms of a suite with these ids, in its order. Throws UsageError for one that it does not have. */
export function chooseMechanisms(
	{mechanisms, name}: Pick<Suite, 'mechanisms' | 'name'>,
	asked: readonly string[] = [],
): readonly Mechanism[] {
	if (asked.length === 0) return mechanisms.slice(0, 1);
	const ids = mechanisms.map(({id}) => id);
	const unknown = asked.find(id => id !== 'all' && !ids.includes(id));
	if (unknown !== undefined) {
		const near = nearest(unknown, ids, 4);
		const words = near ? `; did you mean ${near}?` : `: ${ids.join(', ')}.`;
		throw new UsageError(`${name} has no mechanism ${unknown}${words}`);
	}
	return asked.includes('all') ? mechanisms : mechanisms.filter(({id}) => asked.includes(id));
}

/** Whether a glob may match subtests of a case: `net/ping.sh/*` of net/ping.sh. They are known only after it ran. */
function matchesBelow(glob: string, id: string): boolean {
	const above = glob.split('/').slice(0, id.split('/').length);
	return globToRegExp(above.join('/')).test(id);
}

/** Whether a subtest was asked for: by its name, or because its case was. */
export function isWanted({match, case: id, target}: Cell, subtest: string): boolean {
	if (match.length === 0) return true;
	const title = caseTitle({case: id, ...(target !== undefined && {target})});
	return match.some(glob => [id, title, subtest].some(each => globToRegExp(glob).test(each)));
}

/** Only `*` and `?` are special. Brackets are literal, because cell titles contain them. */
function globToRegExp(glob: string): RegExp {
	const source = glob
		.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
		.replaceAll('*', '.*')
		.replaceAll('?', '.');
	return new RegExp(`^${source}$`);
}
