// SPDX-License-Identifier: GPL-2.0
import {forWorkflow} from '../../results/reports/annotations.ts';
import {counted} from '../../results/run/counted.ts';
import type {Step} from '../engine/journal.ts';
import type {SearchProgress} from '../engine/search.ts';

/** Prints a line per step, with the steps and time that are left. */
export function sayStep(step: Step, progress: SearchProgress): void {
	const {left} = progress;
	const rest =
		step.role === 'step' || step.role === 'good end'
			? `; ${left.candidates} left, about ${counted(left.steps, 'step')}, ${formatMs(estimateMs(progress))}`
			: step.role === 'parent' && step.verdict === 'bad'
				? '; it had been taken for good, so the search goes on before it'
				: '';
	tell(`${step.role} ${formatStep(step)}${rest}`);
}

/** Prints a line per step of the verification. */
export function sayVerification(step: Step): void {
	tell(`${step.role} ${formatStep(step)}`);
}

/** The line may quote a guest's console, so it must not reach CI as a workflow command. */
function tell(line: string): void {
	process.stderr.write(forWorkflow(`probe-matrix: ${line}\n`));
}

/** For example `abc: bad, 3 of 3 failed, 2:10`. */
function formatStep(step: Step): string {
	const {candidate, verdict, failed, asked, sameAs, reason, prepareMs, ms, isReused} = step;
	const how = sameAs ? `the same image as ${sameAs.title}` : (reason ?? `${failed} of ${asked} failed`);
	const time = formatMs(ms + prepareMs);
	return `${candidate.title}: ${verdict}, ${how}, ${time}${isReused ? ', nothing built' : ''}`;
}

/** Extrapolates from the steps so far, in ms. */
function estimateMs({left, repeats, steps}: SearchProgress): number {
	const built = steps.filter(({isReused}) => isReused === false).map(({prepareMs}) => prepareMs);
	const asked = steps.filter(step => step.asked > 0);
	const perAttempt = sum(asked.map(({ms}) => ms)) / Math.max(1, sum(asked.map(step => step.asked)));
	const perBuild = sum(built) / Math.max(1, built.length);
	return left.steps * (perBuild + perAttempt * repeats);
}

/** For display: `5 s`, `1:01 min`, `2:10 h`. */
export function formatMs(ms: number): string {
	const seconds = Math.round(ms / 1000);
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, '0')} min`;
	return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')} h`;
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
