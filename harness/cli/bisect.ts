import {writeFileSync} from 'node:fs';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {bisectCommits} from '../bisect/bisect-commits.ts';
import {bisectConfig} from '../bisect/bisect-config.ts';
import {bisectModule} from '../bisect/bisect-module.ts';
import {bisectReleases} from '../bisect/bisect-releases.ts';
import {readConfig} from '../bisect/config-changes.ts';
import {describePlan} from '../bisect/plan.ts';
import {formatMarkdown, isSure, type Result, toJson} from '../bisect/report.ts';
import {revisionsBetween} from '../bisect/revisions.ts';
import {type CommonOptions, Stages} from '../bisect/run-bisect.ts';
import {HostFaultError} from '../bisect/subject.ts';
import {projectRoot} from '../build/sources.ts';
import {messageOf, UsageError} from '../host/errors.ts';
import type {Options} from '../kernels/kconfig.ts';
import {embeddedKernel} from '../matrix/tested-kernels.ts';
import {type BisectOptions, configsOf, endsOf, mustFit, sourceIsForReleases} from './bisect-options.ts';
import {forJob} from './job-output.ts';
import {addQuestion, questionOf} from './question-options.ts';

export function addBisect(command: Command, signal: AbortSignal): void {
	command
		.option('--good <id>', 'where all is well: a kernel; with --linux or --module a revision, too')
		.option('--bad <id>', 'a newer one, where it is not')
		.option('--linux <tree>', 'a git repository of Linux: go on to the commit; it is only read')
		.option('--config <file>', 'build the commits of --linux with this one (default: images/kconfig)')
		.option('--good-config <file>', 'a configuration where all is well; with --linux, whose HEAD is built')
		.option('--bad-config <file>', 'one where it is not: find the options that make the difference')
		.option('--module [tree]', 'bisect the module in kmod/ of this repository, or of another, on one kernel')
		.option('--kernel <id>', `the kernel for --module (default: ${embeddedKernel})`);
	addQuestion(command)
		.option('--any-failure', 'count every failure as bad, not only what the bad end shows', false)
		.option('--confidence <p>', 'how sure the result has to be', parseConfidence, 0.95)
		.option('--source <dir>', 'build releases of kernel.org from this tree instead of fetching them')
		.option('--report <file>', 'write the report as Markdown there, too')
		.option('--json <file>', 'write it as JSON there')
		.option('--dry-run', 'say what would be done, how long it may take and what it needs', false)
		.addOption(new Option('--anew', 'forget what an interrupted one has learnt; else it goes on').default(false))
		.addHelpText(
			'after',
			`
Both ends are asked first. Killed at any point, the same command goes on where it was.
The exit status of a --script is 0 for good, 125 for "cannot be told", anything else is bad.

Exit status: 0 found and confirmed, 1 not narrowed down to one, not confirmed or less sure than asked for,
2 usage or set-up, 3 this host gave no answers, 130 interrupted.

Examples:
  probe-matrix bisect --good 4.15.18 --bad debian-6.12 --match 'return/call-stack'
  probe-matrix bisect --good v5.10 --bad v5.11 --linux ~/linux --script ./question.sh
  probe-matrix bisect --module --good HEAD~30 --bad HEAD --match 'entry/flags[asm]'`,
		)
		.action(async (options: BisectOptions) => {
			process.exitCode = await runBisect(options, signal);
		});
}

async function runBisect(options: BisectOptions, signal: AbortSignal): Promise<number> {
	const {linux, module, report, json} = options;
	mustFit(options);
	const common: CommonOptions = {
		question: await questionOf(options, signal),
		confidence: options.confidence,
		isAnyFailure: options.anyFailure,
		isolation: options.isolation,
		accelerator: options.accel,
		signal,
		isAnew: options.anew,
		stages: new Stages(),
		command: ['npx', 'probe-matrix', ...process.argv.slice(2)].map(quote).join(' '),
	};
	const configs = configsOf(options);
	const ends = configs ? {good: '', bad: ''} : endsOf(options);
	const tree = module === true ? projectRoot : module;
	if (options.dryRun) {
		process.stdout.write(await describePlan({...ends, linux, module: tree}));
		return 0;
	}
	// Not after hours.
	for (const file of [report, json]) if (file !== undefined) write(file, '', {flag: 'a'});
	const results: Result[] = [];
	try {
		for await (const result of resultsOf({...options, configs, ends, tree}, common)) results.push(result);
	} catch (error) {
		if (!(error instanceof HostFaultError)) throw error;
		process.stderr.write(forJob(`probe-matrix: ${error.message}\n`));
		return 3;
	} finally {
		// The kernel is known, too, where the commit is not.
		if (results.length > 0) tell(results, options);
	}
	await common.stages.retire();
	return results.every(isSure) ? 0 : 1;
}

type Asked = BisectOptions & {
	readonly configs: ReturnType<typeof configsOf>;
	readonly ends: {readonly good: string; readonly bad: string};
	readonly tree: string | undefined;
};

/** Of each stage as it ends. */
async function* resultsOf(
	{configs, ends, tree, linux, kernel = embeddedKernel, source, config}: Asked,
	common: CommonOptions,
): AsyncGenerator<Result> {
	if (configs) yield await bisectConfig({...common, ...configs});
	else if (tree !== undefined) yield await bisectModule({...common, ...ends, kernel, source, tree});
	else if (linux === undefined) yield (await bisectReleases({...common, ...ends, source})).result;
	else {
		const own = config === undefined ? undefined : await readConfig(config);
		yield* throughLinux(linux, {...common, ...ends, source, config: own});
	}
}

function tell(results: readonly Result[], {report, json}: BisectOptions): void {
	const text = formatMarkdown(results);
	process.stdout.write(forJob(text));
	if (report !== undefined) write(report, text);
	if (json !== undefined) write(json, toJson(results));
}

type LinuxOptions = {readonly source: string | undefined; readonly config: Options | undefined};

/** Kernels first, where that is what the ends are; then the commits between the two neighbours. */
async function* throughLinux(
	linux: string,
	options: CommonOptions & {readonly good: string; readonly bad: string} & LinuxOptions,
): AsyncGenerator<Result> {
	const revisions = await revisionsBetween(linux, options);
	if (revisions.kind === 'commits') {
		if (options.source !== undefined) throw new UsageError(sourceIsForReleases);
		yield await bisectCommits({...options, ...revisions, linux});
		return;
	}
	const {result, lastGood} = await bisectReleases(options);
	yield result;
	const [firstBad, ...others] = result.finding.suspects;
	if (!firstBad || others.length > 0) return;
	yield await bisectCommits({...options, ...(await revisions.of(lastGood, firstBad)), linux});
}

function write(file: string, text: string, options: {flag?: string} = {}): void {
	try {
		writeFileSync(file, text, options);
	} catch (error) {
		throw new UsageError(`The report cannot be written: ${messageOf(error)}.`, {cause: error});
	}
}

function quote(word: string): string {
	return /^[\w@%+=:,./~^-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function parseConfidence(value: string): number {
	const confidence = Number(value);
	if (!(confidence > 0 && confidence < 1)) throw new InvalidArgumentError('a number between 0 and 1 is needed.');
	return confidence;
}
