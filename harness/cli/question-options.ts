import {type Command, Option} from 'commander';
import {moduleQuestion} from '../bisect/module-question.ts';
import {casesQuestion, type Question, scriptQuestion} from '../bisect/question.ts';
import {type AcceleratorName, acceleratorNames} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {type Isolation, isolations} from '../matrix/isolation.ts';
import {collect, numberOf} from './option-values.ts';

export type QuestionOptions = {
	readonly match: readonly string[];
	readonly script?: string;
	readonly build?: string;
	readonly deadline?: number;
	readonly isolation: Isolation;
	readonly accel?: AcceleratorName;
};

/** The options that say what is asked of a kernel, and how. */
export function addQuestion(command: Command): Command {
	return command
		.option('--match <glob>', "the cases in question: 'suite/name' or 'suite/name[target]'; again", collect, [])
		.option('--script <file>', 'ask this program, run in the guest')
		.option('--build <dir>', 'ask whether the module of that directory builds, loads and unloads')
		.option(
			'--deadline <seconds>',
			'how long --script may take on an idle host (default: 60)',
			numberOf('seconds', 1, 86_400),
		)
		.addOption(
			new Option('--isolation <level>', 'what repeats share: a guest while it is clean, what was saved, nothing')
				.choices(isolations)
				.default('reuse'),
		)
		.addOption(
			new Option('--accel <name>', 'how guests run (default: kvm if a test guest runs with it)').choices(
				acceleratorNames,
			),
		);
}

export async function questionOf(
	{match, script, build, deadline}: QuestionOptions,
	signal: AbortSignal,
): Promise<Question> {
	const asked = [match.length > 0, script !== undefined, build !== undefined].filter(Boolean);
	if (asked.length !== 1)
		throw new UsageError('What is to be asked of each kernel? Give one of --match, --script and --build.');
	if (script !== undefined) return scriptQuestion(script, {deadlineMs: (deadline ?? 60) * 1000});
	if (deadline !== undefined) throw new UsageError('--deadline is for --script; cases have deadlines of their own.');
	if (build !== undefined) return moduleQuestion(build, {signal});
	return casesQuestion(match);
}
