// SPDX-License-Identifier: GPL-2.0
import {visible, visibleLine} from '../../results/reports/escape-control.ts';
import {counted} from '../../results/run/counted.ts';
import type {Step} from '../engine/journal.ts';
import type {SearchResult} from '../engine/search.ts';
import type {Verification} from '../repository/verify-commit.ts';
import {formatMs} from './bisect-progress.ts';

/** Everything that a report shows of one stage. */
export type Result = {
	/** The predicate's title. */
	readonly predicate: string;
	readonly finding: SearchResult;
	readonly verification?: Verification;
	/** The first bad commit: message, author, list of files. */
	readonly text?: string;
	/** Options of the configuration that the result renames. */
	readonly renames?: ReadonlyMap<string, string>;
	/** Command that repeats the bisect. */
	readonly command: string;
	/** Directory with the journal and all consoles. */
	readonly directory: string;
};

/** Whether there is one culprit at the requested confidence, and nothing contradicts it. */
export function isSure({finding, verification}: Result): boolean {
	return finding.suspects.length === 1 && isSureEnough(finding) && (verification?.isConfirmed ?? true);
}

/** The exit status of a bisect in several stages, such as releases and then commits: 0 if each is sure. */
export function exitStatusOf(results: readonly Result[]): 0 | 1 {
	return results.every(isSure) ? 0 : 1;
}

function isSureEnough({confidence, wanted}: SearchResult): boolean {
	return confidence >= wanted;
}

const wordsOfCommits = {
	what: 'first bad commit',
	parent: 'parent',
	commit: 'commit',
	revert: 'revert',
};

/** Terms of the stages whose candidates are not commits. */
const words: Readonly<Record<string, typeof wordsOfCommits>> = {
	releases: {...wordsOfCommits, what: 'first bad kernel'},
	config: {
		what: 'smallest bad set of options',
		parent: 'good configuration',
		commit: 'with these options',
		revert: 'bad configuration without them',
	},
	'fixed commits': {...wordsOfCommits, what: 'first fixed commit'},
	'fixed module': {...wordsOfCommits, what: 'first fixed commit'},
	'fixed releases': {...wordsOfCommits, what: 'first fixed kernel'},
	'fixed config': {
		what: 'smallest set of options that mends the bug',
		parent: 'bad configuration',
		commit: 'with these options',
		revert: 'good configuration without them',
	},
};

function wordsOf({stage, isFixed}: SearchResult): typeof wordsOfCommits {
	return words[isFixed ? `fixed ${stage}` : stage] ?? wordsOfCommits;
}

/** The report as Markdown: the result, its confidence, and all steps. */
export function bisectMarkdown(results: readonly Result[]): string {
	return `${results.map(formatStage).join('\n\n')}\n`;
}

function formatStage(result: Result): string {
	const {finding, verification, text, command, directory, predicate} = result;
	const {suspects, confidence, rate, repeats, symptoms, isFixed = false} = finding;
	const titles = suspects.map(({title}) => `**${quote(title)}**`);
	const [head] = titles;
	const its = wordsOf(finding);
	const {what} = its;
	const less = isSureEnough(finding) ? '' : `, below the requested ${percent(finding.wanted)}`;
	const lines = [
		`## Bisect of ${finding.stage}`,
		'',
		titles.length === 1
			? `The ${what} is ${head}, with ${percent(confidence)} confidence${less}.`
			: `The ${what} is one of ${titles.join(', ')}: those in between could not be judged.`,
		'',
		`Tested: ${quote(predicate)}. The bad end failed ${rate.failed} of ${rate.asked} times; ${repeats} passes in a row count as good.`,
		...basisOf(finding),
		...(symptoms.length > 0 ? [`Bad means: ${symptoms.map(quote).join('; ')}.`] : ['Bad means any failure.']),
		'',
		...(verification ? [...formatVerification(verification, {its, isFixed}), ''] : []),
		...(text === undefined ? [] : [...fence(text), '']),
		`| step | what | verdict | failed | build time | test time | console |`,
		`| --- | --- | --- | ---: | ---: | ---: | --- |`,
		...finding.steps.map(row),
		'',
		`${reuse(finding.steps)} Consoles are in \`${directory}\`.`,
		'',
		'```sh',
		command,
		'```',
	];
	return lines.join('\n');
}

function formatVerification(
	{parent, commit, revert, isConfirmed, doubt}: Verification,
	{its, isFixed}: {its: typeof wordsOfCommits; isFixed: boolean},
): string[] {
	const [before, after] = isFixed ? (['bad', 'good'] as const) : (['good', 'bad'] as const);
	const check = (name: string, step: Step | undefined, wanted: Step['verdict']) => {
		const what = `${name} ${wanted}:`;
		return step
			? `${what} ${step.verdict === wanted ? 'PASS' : `FAIL (it is ${step.verdict})`}`
			: `${what} does not apply`;
	};
	const checks = [
		check(its.parent, parent, before),
		check(its.commit, commit, after),
		check(its.revert, revert, before),
	];
	const not = isConfirmed ? '' : ' **The result is not confirmed.**';
	return [`Checks: ${checks.join(', ')}.${not}${doubt === undefined ? '' : ` ${quote(doubt)}.`}`];
}

/** What the confidence rests on, and what is assumed of the history. */
function basisOf({provedPasses, nearestRate: {failed, asked}, isFixed, stage}: SearchResult): string[] {
	if (provedPasses === undefined) return [];
	const subject = isFixed ? 'The result' : 'What is before the result';
	const basis = `${subject} passed ${provedPasses} times; a bug that shows in one of ten attempts, or half as often as next to it (${failed} of ${asked}), would have shown.`;
	if (stage === 'config') return [basis];
	const assumed = isFixed
		? 'If the bug was mended and came back in between, this is one of the fixes.'
		: 'If the bug was mended and came back in between, this is one of the places where it came.';
	return [`${basis} ${assumed}`];
}

function row(step: Step): string {
	const {role, candidate, verdict, failed, asked, sameAs, isReused, prepareMs, ms, reason, console, lost = []} = step;
	const without =
		lost.length === 0
			? ''
			: `, without ${quote(lost.slice(0, 3).join(', '))}${lost.length > 3 ? ` and ${lost.length - 3} more` : ''}`;
	const why = sameAs ? ` (same image as ${quote(sameAs.title)})` : reason === undefined ? '' : ` (${quote(reason)})`;
	const had = isReused ? 'reused' : formatMs(prepareMs);
	const cells = [
		...[role, quote(candidate.title), `${verdict}${why}${without}`, `${failed} of ${asked}`, had, formatMs(ms)],
		console === undefined ? '' : `\`${console}\``,
	];
	return `| ${cells.join(' | ')} |`;
}

/** Shows how many steps reused a build. */
function reuse(steps: readonly Step[]): string {
	const built = new Set(steps.filter(({isReused}) => isReused === false).map(({candidate}) => candidate.id));
	const reused = steps.filter(({isReused}) => isReused).length;
	const same = steps.filter(({sameAs}) => sameAs).length;
	return `${counted(steps.length, 'step')}: ${built.size} built or fetched, ${reused} cached, ${same} with the image of another step.`;
}

function fence(text: string): string[] {
	const marks = '`'.repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map(run => run.length + 1)));
	return [marks, visible(text), marks];
}

/** Commit subjects and console text are untrusted. */
function quote(text: string): string {
	return visibleLine(text)
		.replaceAll(/[\\`*_[\]|~#]/g, String.raw`\$&`)
		.replaceAll('<', '&lt;');
}

function percent(share: number): string {
	return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** The report as JSON. */
export function toJson(results: readonly Result[]): string {
	const stages = results.map(result => {
		const {finding, renames: _, ...rest} = result;
		return {...rest, isSure: isSure(result), ...finding};
	});
	return `${JSON.stringify({schema: 1, stages}, null, '\t')}\n`;
}
