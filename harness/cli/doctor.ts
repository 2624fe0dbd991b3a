import type {Command} from 'commander';
import {findAccelerator} from '../host/accelerator.ts';
import {cacheDirectory} from '../host/cache.ts';
import {cacheRoot} from '../host/cache-root.ts';
import {messageOf, UsageError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import {type Finding, inspectHost, installCommand, installMissing, versionOf} from '../host/requirements.ts';

export function addDoctor(command: Command, signal: AbortSignal): void {
	command
		.option('--install', 'install what is missing, as root or by sudo without a password; quiet if nothing is')
		.option('--tests', "look for what only the project's own tests use, too", false)
		.action(async ({install = false, tests}: {install?: boolean; tests: boolean}) => {
			await (install ? installAll(tests, signal) : diagnose(tests, signal));
		});
}

async function installAll(hasTests: boolean, signal: AbortSignal): Promise<void> {
	cacheDirectory();
	const missing = (await inspectHost({hasTests})).filter(isMissing);
	if (missing.length > 0) {
		await installMissing(missing, {signal});
		const left = (await inspectHost({hasTests})).filter(isMissing);
		if (left.length > 0) {
			throw new UsageError(
				`apt-get succeeded, yet these are not there: ${left.map(finding => finding.package).join(', ')}.`,
			);
		}
	}
	await findQemu({signal});
}

async function diagnose(hasTests: boolean, signal: AbortSignal): Promise<void> {
	const findings = await inspectHost({hasTests});
	const lines = await Promise.all(findings.map(describe));
	const missing = findings.filter(isMissing);
	lines.push(await describeQemu(missing, signal), `ok       cache: ${cacheDirectory()}`);
	process.stdout.write(`${lines.join('\n')}\n`);
	if (missing.length === 0) return;
	process.stdout.write(
		`\nTo install the rest, as root:\n  ${installCommand(missing)}\nor let \`probe-matrix doctor --install${hasTests ? ' --tests' : ''}\` do it.\n`,
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
	if (cannotFetch.length > 0) return `later    QEMU: fetched into ${cacheRoot()} once the rest is there`;
	try {
		const qemu = await findQemu({signal});
		const {command, version, tcgThread} = qemu;
		const where = command.findLast(part => part.endsWith('qemu-system-x86_64'));
		const {name, reason, speed} = await findAccelerator(qemu, {isFresh: true, signal});
		return [
			`ok       QEMU: ${where} ${version}${tcgThread === 'single' ? ', too old for more than one thread' : ''}`,
			`ok       accelerator: ${name}, ${speed ?? '?'} million turns a second; ${reason}`,
		].join('\n');
	} catch (error) {
		process.exitCode = 2;
		return `missing  QEMU: ${messageOf(error)}`;
	}
}

function isMissing({found}: Finding): boolean {
	return found === undefined;
}
