// SPDX-License-Identifier: GPL-2.0
import type {Subtest} from '../../engine/case.ts';

/** What the output of a test says in TAP or KTAP. */
export type TapResult = {
	readonly subtests: readonly Subtest[];
	/** What is wrong with the output itself, such as a plan that was not fulfilled. */
	readonly trouble?: string;
};

type Level = {indent: number; plan?: number; seen: number; readonly children: Subtest[]};

/**
 * Reads the results of a test from its output; undefined if that is neither TAP nor KTAP. Results of nested tests are
 * named `parent/child`; a parent has a result of its own. See https://docs.kernel.org/dev-tools/ktap.html and
 * https://testanything.org/tap-version-14-specification.html.
 */
export function parseTap(output: string): TapResult | undefined {
	const lines = output.split('\n').map(line => line.replace(/\r$/, ''));
	if (!lines.some(line => isResult.test(line) || isVersion.test(line))) return undefined;
	const levels: Level[] = [newLevel(0)];
	const troubles: string[] = [];
	let notes: string[] = [];
	const close = (level: Level, name: string) => {
		if (level.plan !== undefined && level.plan !== level.seen)
			troubles.push(`${name || 'the test'} planned ${level.plan} results and gave ${level.seen}`);
	};
	for (const line of lines) {
		const version = isVersion.exec(line);
		const plan = isPlan.exec(line);
		const result = isResult.exec(line);
		const indent = indentOf(version?.[1] ?? plan?.[1] ?? result?.[1]);
		if (indent === undefined) {
			const bail = /^Bail out!\s*(.*)/.exec(line);
			if (bail) troubles.push(`bailed out: ${bail[1] || 'no reason'}`);
			const note = /^\s*#\s?(.*)/.exec(line)?.[1];
			// kselftest prefixes lines of nested tests with "# ", so that its own results stay at the left.
			if (note !== undefined && !/^\s*(?:ok|not ok|TAP|KTAP|1\.\.)/.test(note)) notes.push(note);
			continue;
		}
		// The result of a parent is less indented than those of its children, and comes after them.
		const depth = levels.findIndex(level => level.indent >= indent);
		if (depth < 0) levels.push(newLevel(indent));
		else if (!result) levels.splice(depth + 1);
		const level = levels[depth < 0 ? levels.length - 1 : depth]!;
		if (plan) level.plan = Number(plan[2]);
		if (!result) continue;
		const subtest = subtestOf(result, notes);
		notes = [];
		level.seen++;
		for (const child of levels.splice(levels.indexOf(level) + 1)) {
			close(child, subtest.name);
			level.children.push(...child.children.map(each => ({...each, name: `${subtest.name}/${each.name}`})));
		}
		level.children.push(subtest);
	}
	for (const level of levels) close(level, '');
	const subtests = distinct(levels.flatMap(({children}) => children));
	return {subtests, ...(troubles.length > 0 && {trouble: troubles.join('; ')})};
}

// A nested test is indented, or, by kselftest's runner, prefixed with "# ".
const isVersion = /^((?:# )*\s*)K?TAP version \d+\s*$/;
const isPlan = /^((?:# )*\s*)1\.\.(\d+)/;
const isResult = /^((?:# )*\s*)(not )?ok\b(?: +(\d+))?(?: +-)?(?: +([^#]*?))?\s*(?:# *(.*))?$/;

function indentOf(prefix: string | undefined): number | undefined {
	return prefix?.length;
}

function newLevel(indent: number): Level {
	return {indent, seen: 0, children: []};
}

function subtestOf([, , not, number, description, directive = '']: RegExpExecArray, notes: readonly string[]): Subtest {
	const name = plainName(description ?? '') || number || 'unnamed';
	const [, word, reason] = /^(SKIP|TODO|XFAIL|TIMEOUT|error)\b[:\s-]*(.*)/i.exec(directive) ?? [];
	const message = (more: string) => [more, ...notes.slice(-20)].filter(Boolean).join('\n');
	switch ((word ?? '').toUpperCase()) {
		case 'SKIP':
			return {name, verdict: 'skip', message: reason?.trim() || 'no reason given'};
		case 'TODO':
		case 'XFAIL':
			// A failure that is expected is no news; neither is it a pass.
			if (not) return {name, verdict: 'skip', message: `expected to fail: ${reason?.trim() || 'no reason given'}`};
			break;
		default:
	}
	if (not) return {name, verdict: 'fail', message: message(directive || 'not ok')};
	return {name, verdict: 'pass'};
}

/** A name that can stand in the id of a case. */
export function plainName(text: string): string {
	return text
		.trim()
		.replaceAll(/[^\w.+:=@%,-]+/g, '-')
		.replaceAll(/^[-.]+|-+$/g, '');
}

/** Two results of one name get numbers. */
function distinct(subtests: readonly Subtest[]): readonly Subtest[] {
	const seen = new Map<string, number>();
	return subtests.map(subtest => {
		const count = (seen.get(subtest.name) ?? 0) + 1;
		seen.set(subtest.name, count);
		return count === 1 ? subtest : {...subtest, name: `${subtest.name}-${count}`};
	});
}
