// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {modulePredicate} from '../bisect/guests/module-predicate.ts';
import {casesPredicate, type Predicate, scriptPredicate} from '../bisect/guests/predicate.ts';
import type {Suite} from '../engine/suite.ts';
import type {Isolation} from '../guest/isolation.ts';
import type {AcceleratorName} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {numberOf} from './option-values.ts';
import {acceleratorOption, isolationOption, matchOption, mechanismOption} from './shared-options.ts';

export type PredicateOptions = {
	readonly match: readonly string[];
	readonly mechanism: readonly string[];
	readonly script?: string;
	readonly build?: string;
	readonly deadline?: number;
	readonly isolation: Isolation;
	readonly accel?: AcceleratorName;
};

/** Adds the options that define the predicate: cases, a script or the build of a module. */
export function addPredicate(command: Command): Command {
	return command
		.addOption(matchOption('none'))
		.addOption(mechanismOption())
		.option('--script <file>', 'test by this program, run in the guest: 0 is good, 125 skip, else bad')
		.option('--build <dir>', 'test whether the module in this directory builds, loads and unloads')
		.option(
			'--deadline <seconds>',
			'time limit of --script on an idle host (default: 60)',
			numberOf('seconds', 1, 86_400),
		)
		.addOption(isolationOption('repeats'))
		.addOption(acceleratorOption());
}

export async function predicateOf(
	suite: Suite,
	{match, mechanism, script, build, deadline}: PredicateOptions,
	signal: AbortSignal,
): Promise<Predicate> {
	const asked = [match.length > 0, script !== undefined, build !== undefined].filter(Boolean);
	if (asked.length !== 1) throw new UsageError('Specify exactly one of --match, --script and --build.');
	if (mechanism.length > 0 && match.length === 0) throw new UsageError('--mechanism needs --match.');
	if (script !== undefined) return scriptPredicate(suite, script, {deadlineMs: (deadline ?? 60) * 1000});
	if (deadline !== undefined) throw new UsageError('--deadline needs --script; cases have their own deadlines.');
	if (build !== undefined) return modulePredicate(suite, build, {signal});
	return casesPredicate(suite, match, mechanism);
}
