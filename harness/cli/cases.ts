// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {type Cell, planCells} from '../engine/plan.ts';
import {addSuiteOptions, casesOf, matchOption, type SuiteOptions, suiteOf} from './shared-options.ts';

type CasesOptions = SuiteOptions & {readonly match: readonly string[]; readonly json?: boolean};

/** A case, with those of its targets that were asked for. */
type ListedCase = {
	readonly id: string;
	readonly targets: readonly string[];
	readonly needs: readonly string[];
	readonly deadlineMs: number;
};

export function addCases(command: Command): void {
	addSuiteOptions(command)
		.addOption(matchOption())
		.option('--json', 'as JSON for scripts, with what each case needs')
		.addHelpText('after', '\nExample: probe-matrix cases --match "race/*"')
		.action(async (options: CasesOptions) => {
			const {match, json} = options;
			const suite = await suiteOf(options);
			const cases = await casesOf(suite);
			// Which kernel it is makes no difference to a plan.
			const listed = listCases(planCells({kernels: ['any'], suite, cases, match}));
			process.stdout.write(json ? `${JSON.stringify(listed)}\n` : formatCases(listed));
		});
}

function listCases(cells: readonly Cell[]): readonly ListedCase[] {
	return [...Map.groupBy(cells, ({definition}) => definition)].map(([{id, needs = [], deadlineMs}, of]) => ({
		id,
		targets: of.flatMap(({target}) => target ?? []),
		needs,
		deadlineMs,
	}));
}

function formatCases(cases: readonly ListedCase[]): string {
	const width = Math.max(...cases.map(({id}) => id.length));
	return cases.map(({id, targets}) => `${`${id.padEnd(width)}  ${targets.join(' ')}`.trimEnd()}\n`).join('');
}
