import {UsageError} from '../host/errors.ts';
import {nearest} from '../host/nearest.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellName} from '../results/run/events.ts';
import type {Case, TargetKind} from './case.ts';
import type {Mechanism} from './mechanism.ts';

export type Cell = CellName & {
	readonly definition: Case;
	readonly mechanismUsed: Mechanism;
	readonly targetKind: TargetKind;
	readonly repeat: number;
};

export type PlanOptions = {
	readonly kernels: readonly string[];
	readonly mechanisms: readonly Mechanism[];
	readonly cases: readonly Case[];
	/** Globs on `suite/name` or `suite/name[target]`: `*` is any characters, `?` is one. Default: all cases. */
	readonly match?: readonly string[];
	readonly repeat?: number;
};

/** Kernels × mechanisms × cases × targets, in the order of `cases`. Throws UsageError if a glob matches no case. */
export function planCells({kernels, mechanisms, cases, match = [], repeat = 1}: PlanOptions): readonly Cell[] {
	const patterns = match.map(glob => ({glob, pattern: globToRegExp(glob), matched: false}));
	const cells: Cell[] = [];
	for (const kernel of kernels)
		for (const mechanism of mechanisms)
			for (const definition of cases)
				for (const target of definition.targets ?? [undefined]) {
					const name: CellName = {kernel, mechanism: mechanism.id, case: definition.id, ...(target && {target})};
					const matching = patterns.filter(({pattern}) => pattern.test(definition.id) || pattern.test(cellTitle(name)));
					for (const pattern of matching) pattern.matched = true;
					if (patterns.length > 0 && matching.length === 0) continue;
					for (let round = 0; round < repeat; round++) {
						cells.push({
							...name,
							definition,
							mechanismUsed: mechanism,
							targetKind: target ?? 'asm-fentry',
							repeat: round,
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

/** Only `*` and `?` are special. Brackets are literal, because cell titles contain them. */
function globToRegExp(glob: string): RegExp {
	const source = glob
		.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
		.replaceAll('*', '.*')
		.replaceAll('?', '.');
	return new RegExp(`^${source}$`);
}
