import {type Command, InvalidArgumentError, Option} from 'commander';
import {moduleQuestion} from '../bisect/module-question.ts';
import {formatStep} from '../bisect/progress.ts';
import {casesQuestion, type Question, scriptQuestion} from '../bisect/question.ts';
import {bisectReleases} from '../bisect/run-bisect.ts';
import {type AcceleratorName, acceleratorNames} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {type Isolation, isolations} from '../matrix/isolation.ts';

type BisectOptions = {
	readonly good: string;
	readonly bad: string;
	readonly match: readonly string[];
	readonly script?: string;
	readonly build?: string;
	readonly deadline: number;
	readonly confidence: number;
	readonly anyFailure: boolean;
	readonly isolation: Isolation;
	readonly accel?: AcceleratorName;
	readonly source?: string;
};

const collect = (value: string, before: readonly string[]) => [...before, value];

export function addBisect(program: Command, signal: AbortSignal): void {
	program
		.command('bisect')
		.description('finds the first bad kernel')
		.requiredOption('--good <id>', 'where the case passes')
		.requiredOption('--bad <id>', 'a newer one, where it fails')
		.option(
			'--match <glob>',
			"the cases in question, as 'suite/name' or 'suite/name[target]'; may be given again",
			collect,
			[],
		)
		.option('--script <file>', 'ask this program, run in the guest: 0 is good, 125 skip, all else bad')
		.option('--build <dir>', 'ask whether the module of that directory builds, loads and unloads')
		.option('--deadline <seconds>', 'how long --script may take on an idle guest', parseSeconds, 60)
		.option('--any-failure', 'count every failure as bad, not only what the bad end shows', false)
		.option('--confidence <p>', 'how sure the result has to be', parseConfidence, 0.95)
		.option('--source <dir>', 'build releases of kernel.org from this tree instead of fetching them')
		.addOption(new Option('--isolation <level>', 'what repeats share').choices(isolations).default('reuse'))
		.addOption(new Option('--accel <name>', 'how guests run').choices(acceleratorNames))
		.action(async (options: BisectOptions) => {
			process.exitCode = await runBisect(options, signal);
		});
}

async function runBisect(options: BisectOptions, signal: AbortSignal): Promise<number> {
	const {good, bad, confidence, anyFailure, isolation, accel, source} = options;
	const {
		suspects,
		confidence: reached,
		steps,
	} = await bisectReleases({
		good,
		bad,
		question: await questionOf(options, signal),
		confidence,
		isAnyFailure: anyFailure,
		isolation,
		accelerator: accel,
		signal,
		...(source !== undefined && {source}),
	});
	const lines = [
		...steps.map(step => `${step.role} ${formatStep(step)}`),
		`first bad: ${suspects.map(({title}) => title).join(' or ')} (${(100 * reached).toFixed(1)} %)`,
	];
	process.stdout.write(`${lines.join('\n')}\n`);
	return suspects.length === 1 ? 0 : 1;
}

async function questionOf({match, script, build, deadline}: BisectOptions, signal: AbortSignal): Promise<Question> {
	const asked = [match.length > 0, script !== undefined, build !== undefined].filter(Boolean);
	if (asked.length !== 1)
		throw new UsageError('What is to be asked of each kernel? Give one of --match, --script and --build.');
	if (script !== undefined) return scriptQuestion(script, {deadlineMs: deadline * 1000});
	if (build !== undefined) return moduleQuestion(build, {signal});
	return casesQuestion(match);
}

function parseSeconds(value: string): number {
	const seconds = Number(value);
	if (!(seconds >= 1 && seconds <= 86_400))
		throw new InvalidArgumentError('a number of seconds from 1 to 86400 is needed.');
	return seconds;
}

function parseConfidence(value: string): number {
	const confidence = Number(value);
	if (!(confidence > 0 && confidence < 1)) throw new InvalidArgumentError('a number between 0 and 1 is needed.');
	return confidence;
}
