import type {Command} from 'commander';
import {judgeStep} from '../bisect/step.ts';
import {forJob} from './job-output.ts';
import {wholeNumber} from './option-values.ts';
import {addQuestion, type QuestionOptions, questionOf} from './question-options.ts';

type StepOptions = QuestionOptions & {
	readonly linux: string;
	readonly repeats: number;
	readonly symptom?: string;
};

/** As `git bisect run` understands them. */
const statusOf = {good: 0, bad: 1, skip: 125} as const;

/** With this one `git bisect run` stops, instead of taking what is wrong here for the kernel's fault. */
export const abortStatus = 128;

export function addBisectStep(command: Command, signal: AbortSignal): void {
	command.option('--linux <tree>', 'the repository, which is only read; its HEAD is judged', '.');
	addQuestion(command)
		.option('--repeats <n>', 'so many passes make it good; more for what fails rarely', wholeNumber(1, 1000), 10)
		.option('--symptom <text>', 'only failures that say this are bad (default: all are)')
		.addHelpText(
			'after',
			`
Exit status: 0 good, 1 bad, 125 it does not build or boot, or the case is skipped,
128 usage, set-up or this host: git bisect run stops.

Example, in the tree of Linux:
  git bisect start BAD GOOD
  git bisect run npx --prefix PROBE_MATRIX probe-matrix bisect-step --match 'return/call-stack'`,
		)
		.action(async (options: StepOptions) => {
			const {linux, repeats, symptom, isolation, accel} = options;
			const question = await questionOf(options, signal);
			const {verdict, words} = await judgeStep({
				...{linux, repeats, symptom, isolation, question, signal},
				accelerator: accel,
			});
			process.stdout.write(forJob(`${verdict}: ${words}\n`));
			process.exitCode = statusOf[verdict];
		});
}
