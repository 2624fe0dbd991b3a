// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {findAccelerator} from '../host/accelerator.ts';
import {cacheDirectory} from '../host/cache.ts';
import {cacheRoot} from '../host/cache-root.js';
import {messageOf, UsageError} from '../host/errors.ts';
import {problemsOfPlace} from '../host/place.ts';
import {findQemu} from '../host/qemu.ts';
import {type Finding, inspectHost, installCommand, installMissing, versionOf} from '../host/requirements.ts';

export function addDoctor(command: Command, signal: AbortSignal): void {
	command
		.option('--install', 'install missing packages, as root or by sudo without a password')
		.option('--tests', "also check for what only the project's own tests use")
		.action(async ({install = false, tests = false}: {install?: boolean; tests?: boolean}) => {
			await (install ? installAll(tests, signal) : diagnose(tests, signal));
		});
}

async function installAll(includeTestTools: boolean, signal: AbortSignal): Promise<void> {
	cacheDirectory();
	const missing = (await inspectHost({includeTestTools})).filter(isMissing);
	if (missing.length > 0) {
		await installMissing(missing, {signal});
		const left = (await inspectHost({includeTestTools})).filter(isMissing);
		if (left.length > 0) {
			throw new UsageError(
				`apt-get succeeded, but these are still missing: ${left.map(finding => finding.package).join(', ')}.`,
			);
		}
	}
	await findQemu({signal});
}

async function diagnose(includeTestTools: boolean, signal: AbortSignal): Promise<void> {
	const findings = await inspectHost({includeTestTools});
	const lines = await Promise.all(findings.map(describe));
	const missing = findings.filter(isMissing);
	lines.push(await describeQemu(missing, signal), ...describePlace());
	process.stdout.write(`${lines.join('\n')}\n`);
	if (missing.length === 0) return;
	process.stdout.write(
		`\nTo install the rest, as root:\n  ${installCommand(missing)}\nor run \`probe-matrix doctor --install${includeTestTools ? ' --tests' : ''}\`.\n`,
	);
	process.exitCode = 2;
}

async function describe({package: name, program, found, why}: Finding): Promise<string> {
	if (!found) return `missing  ${name}: ${why}`;
	return `ok       ${name}: ${found}${program ? ` ${await versionOf(found)}` : ''}`;
}

async function describeQemu(missing: readonly Finding[], signal: AbortSignal): Promise<string> {
	const cannotFetch = missing.filter(({package: name}) =>
		['xz-utils', 'gpgv', 'debian-archive-keyring'].includes(name),
	);
	if (cannotFetch.length > 0) return `pending  QEMU: will be fetched into ${cacheRoot()}`;
	try {
		const qemu = await findQemu({signal});
		const {command, version, tcgThread} = qemu;
		const where = command.findLast(part => part.endsWith('qemu-system-x86_64'));
		const {name, reason, speed} = await findAccelerator(qemu, {isFresh: true, signal});
		return [
			`ok       QEMU: ${where} ${version}${tcgThread === 'single' ? ', too old for multi-threaded emulation' : ''}`,
			`ok       accelerator: ${name}, ${speed ?? '?'} M loop iterations/s; ${reason}`,
		].join('\n');
	} catch (error) {
		process.exitCode = 2;
		return `missing  QEMU: ${messageOf(error)}`;
	}
}

function describePlace(): readonly string[] {
	let problems: readonly string[];
	try {
		cacheDirectory();
		problems = problemsOfPlace();
	} catch (error) {
		problems = [messageOf(error)];
	}
	if (problems.length === 0) return [`ok       cache: ${cacheRoot()}`];
	process.exitCode = 2;
	return problems.map(problem => `unfit    ${problem}`);
}

function isMissing({found}: Finding): boolean {
	return found === undefined;
}
