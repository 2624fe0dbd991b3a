// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {judgeHead} from '../bisect/kinds/judge-head.ts';
import {forJob} from './job-output.ts';
import {wholeNumber} from './option-values.ts';
import {addPredicate, type PredicateOptions, predicateOf} from './predicate-options.ts';
import {addSuiteOptions, type SuiteOptions, suiteOf} from './shared-options.ts';

type StepOptions = PredicateOptions &
	SuiteOptions & {
		readonly linux: string;
		readonly repeats: number;
		readonly symptom?: string;
		readonly fixed?: boolean;
	};

/** Exit statuses, as `git bisect run` understands them: 0 is like the older end, 1 like the newer one. */
export function statusOf({isFixed}: {isFixed: boolean}) {
	return isFixed ? ({good: 1, bad: 0, skip: 125} as const) : ({good: 0, bad: 1, skip: 125} as const);
}

/** Makes `git bisect run` stop; other statuses would blame the kernel for a fault of the host. */
export const abortStatus = 128;

export function addBisectStep(command: Command, signal: AbortSignal): void {
	addSuiteOptions(command).option('--linux <tree>', 'repository whose HEAD is judged; it is only read', '.');
	addPredicate(command)
		.option('--repeats <n>', 'passes required to call a commit good', wholeNumber(1, 1000), 10)
		.option('--symptom <text>', 'only failures with this text are bad (default: all)')
		.option('--fixed', 'find what mended the bug: bad exits with 0, good with 1')
		.addHelpText(
			'after',
			`
Exit status: 0 good, 1 bad (with --fixed the other way round), 125 skip: the
kernel does not build or boot, or the case does not apply; 128 anything else, which stops git bisect run.

Examples, in a Linux tree:
  git bisect start BAD GOOD
  git bisect run npx --prefix PROBE_MATRIX probe-matrix bisect-step --match 'return/call-stack'

  git bisect start --term-old=broken --term-new=mended GOOD BAD
  git bisect run npx --prefix PROBE_MATRIX probe-matrix bisect-step --fixed --match 'return/call-stack'`,
		)
		.action(async (options: StepOptions) => {
			const {linux, repeats, symptom, isolation, accel, fixed: isFixed = false} = options;
			const predicate = await predicateOf(await suiteOf(options), options, signal);
			const {verdict, words} = await judgeHead({
				...{linux, repeats, symptom, isolation, predicate, signal},
				accelerator: accel,
			});
			process.stdout.write(forJob(`${verdict}: ${words}\n`));
			process.exitCode = statusOf({isFixed})[verdict];
		});
}
