// SPDX-License-Identifier: GPL-2.0
import {writeFileSync} from 'node:fs';
import {type Command, InvalidArgumentError} from 'commander';
import {HostFaultError} from '../bisect/engine/candidate.ts';
import {type ConfigMap, readConfig} from '../bisect/guests/config-changes.ts';
import {bisectCommits} from '../bisect/kinds/bisect-commits.ts';
import {bisectConfig} from '../bisect/kinds/bisect-config.ts';
import {bisectModule} from '../bisect/kinds/bisect-module.ts';
import {bisectReleases} from '../bisect/kinds/bisect-releases.ts';
import {type ModuleHistory, moduleHistory} from '../bisect/kinds/module-history.ts';
import {describePlan} from '../bisect/kinds/plan-bisect.ts';
import {revisionsBetween} from '../bisect/kinds/revisions.ts';
import {type CommonOptions, Stages} from '../bisect/kinds/with-journal.ts';
import {bisectMarkdown, exitStatusOf, type Result, toJson} from '../bisect/report/bisect-report.ts';
import {quickKernelOf} from '../engine/suite.ts';
import {messageOf, UsageError} from '../host/errors.ts';
import {quote} from '../host/quote.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import type {Options} from '../kernels/kconfig.ts';
import {chooseSuite} from '../suites/choose-suite.ts';
import {
	type BisectOptions,
	bisectsModule,
	configsOf,
	endsOf,
	requireCompatible,
	sourceIsForReleases,
} from './bisect-options.ts';
import {forJob} from './job-output.ts';
import {addPredicate, predicateOf} from './predicate-options.ts';
import {sourceOption, suiteOption, testsOption} from './shared-options.ts';

export function addBisect(command: Command, signal: AbortSignal): void {
	command
		.option('--good <id>', 'last known good kernel, or with --linux or --module a git revision')
		.option('--bad <id>', 'first known bad one, newer than --good')
		.option('--linux <tree>', 'Linux git repository: continue to the commit; it is only read')
		.option('--config <file>', 'kernel configuration for the commits of --linux (default: images/kconfig)')
		.option('--config-map <old=new>', 'options under two names, for example CONFIG_A=CONFIG_B; repeatable', parseRename)
		.option('--good-config <file>', 'good configuration; needs --linux, whose HEAD is built')
		.option('--bad-config <file>', 'bad configuration: find the options that make the difference')
		.option(
			'--module [path]',
			'bisect the history of the module on one kernel, or in another clone; with --tests that of the module in this directory',
		)
		.addOption(testsOption())
		.addOption(suiteOption())
		.option('--kernel <id>', `kernel for --module (default: that of the suite, or ${fallbackKernel})`);
	addPredicate(command)
		.option('--fixed', 'find what mended the bug: --bad is the older end, --good the newer one')
		.option('--any-failure', 'count every failure as bad, not only the symptom of the bad end')
		.option('--confidence <p>', 'required probability that the result is right', parseConfidence, 0.95)
		.addOption(sourceOption())
		.option('--report <file>', 'also write the report to this file, as Markdown')
		.option('--json <file>', 'also write it to this file, as JSON')
		.option('--dry-run', 'print the plan: steps, time and disk space')
		.option('--restart', "discard an interrupted bisect's journal instead of resuming it")
		.addHelpText(
			'after',
			`
Both ends are tested first. If a bisect is killed, run the same command again
and it resumes.

Exit status: 0 found and confirmed, 1 not narrowed down to one, not confirmed
or below --confidence, 2 wrong usage or set-up, 3 the host could not produce a
verdict, 130 interrupted.

Examples:
  probe-matrix bisect --good 4.15.18 --bad debian-6.12 --match 'return/call-stack'
  probe-matrix bisect --good v5.10 --bad v5.11 --linux ~/linux --script ./test.sh
  probe-matrix bisect --module --good HEAD~30 --bad HEAD --match 'entry/flags[asm]'
  probe-matrix bisect --fixed --bad v5.10 --good v5.11 --linux ~/linux --script ./test.sh`,
		)
		.action(async (options: BisectOptions) => {
			process.exitCode = await runBisect(options, signal);
		});
}

async function runBisect(options: BisectOptions, signal: AbortSignal): Promise<number> {
	const {linux, module, tests, report, json} = options;
	requireCompatible(options);
	const isOwn = tests !== undefined && typeof module === 'string';
	const suite = await chooseSuite({tests, suite: options.suite, modules: isOwn ? [module] : []});
	const common: CommonOptions = {
		predicate: await predicateOf(suite, options, signal),
		confidence: options.confidence,
		isAnyFailure: options.anyFailure ?? false,
		isFixed: options.fixed ?? false,
		isolation: options.isolation,
		accelerator: options.accel,
		signal,
		isRestart: options.restart ?? false,
		stages: new Stages(),
		command: ['npx', 'probe-matrix', ...process.argv.slice(2)].map(quote).join(' '),
	};
	const configs = configsOf(options);
	const ends = configs ? {good: '', bad: ''} : endsOf(options);
	const clone = typeof module === 'string' && !isOwn ? module : undefined;
	const history = bisectsModule(options) ? await moduleHistory(suite, clone) : undefined;
	if (options.dryRun) {
		process.stdout.write(await describePlan({...ends, linux, module: history}));
		return 0;
	}
	// Find out now, not after hours, that a report cannot be written.
	for (const file of [report, json]) if (file !== undefined) write(file, '', {flag: 'a'});
	const results: Result[] = [];
	try {
		for await (const result of resultsOf({...options, configs, ends, history}, common)) results.push(result);
	} catch (error) {
		if (!(error instanceof HostFaultError)) throw error;
		process.stderr.write(forJob(`probe-matrix: ${error.message}\n`));
		return 3;
	} finally {
		// If a later stage fails, the results of earlier ones are still printed.
		if (results.length > 0) tell(results, options);
	}
	await common.stages.retire();
	return exitStatusOf(results);
}

type Asked = BisectOptions & {
	readonly configs: ReturnType<typeof configsOf>;
	readonly ends: {readonly good: string; readonly bad: string};
	readonly history: ModuleHistory | undefined;
};

/** Yields the result of each stage as it ends. */
async function* resultsOf(
	{configs, ends, history, linux, kernel, source, config, configMap}: Asked,
	common: CommonOptions,
): AsyncGenerator<Result> {
	if (configs) yield await bisectConfig({...common, ...configs, configMap});
	else if (history) {
		const {suite} = common.predicate;
		yield await bisectModule({...common, ...ends, kernel: kernel ?? quickKernelOf(suite), source, history});
	} else if (linux === undefined) yield (await bisectReleases({...common, ...ends, source})).result;
	else {
		const own = config === undefined ? undefined : await readConfig(config);
		yield* throughLinux(linux, {...common, ...ends, source, config: own, configMap});
	}
}

function tell(results: readonly Result[], {report, json}: BisectOptions): void {
	const text = bisectMarkdown(results);
	process.stdout.write(forJob(text));
	if (report !== undefined) write(report, text);
	if (json !== undefined) write(json, toJson(results));
}

type LinuxOptions = {
	readonly source: string | undefined;
	readonly config: Options | undefined;
	readonly configMap: ConfigMap | undefined;
};

/** If the ends are kernels, bisects releases first, then the commits between the two neighbours. */
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

function parseConfidence(value: string): number {
	const confidence = Number(value);
	if (!(confidence > 0 && confidence < 1)) throw new InvalidArgumentError('It must be a number between 0 and 1.');
	return confidence;
}

function parseRename(value: string, before: ConfigMap = new Map()): ConfigMap {
	const [, old, now] = /^(CONFIG_\w+)=(CONFIG_\w+)$/.exec(value) ?? [];
	if (old === undefined || now === undefined) throw new InvalidArgumentError('It must be like CONFIG_A=CONFIG_B.');
	return new Map([...before, [old, now]]);
}
