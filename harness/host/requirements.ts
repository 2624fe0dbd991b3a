// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import packages from '../../images/host-packages.json' with {type: 'json'};
import {UsageError} from './errors.ts';
import {programs} from './programs.ts';
import {directoryOnPath} from './qemu.ts';
import {say} from './say.ts';

export type Requirement = {
	/** Name of the Debian package. */
	readonly package: string;
	readonly why: string;
	readonly program?: string;
	/** File name of a static library. */
	readonly library?: string;
	readonly file?: string;
	/** Only the project's tests use it; they skip without it, but not in CI. */
	readonly tests?: boolean;
};

export type Finding = Requirement & {
	/** Path where it was found, or undefined. */
	readonly found: string | undefined;
};

const libraryDirectories = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/lib/x86_64-linux-gnu'];

type InspectOptions = {
	/** Also look for what only tests use. */
	readonly includeTestTools?: boolean;
	readonly requirements?: readonly Requirement[];
};

/** Looks for everything that the host needs. */
export async function inspectHost({
	includeTestTools = false,
	requirements = packages,
}: InspectOptions = {}): Promise<readonly Finding[]> {
	const needed = requirements.filter(({tests}) => includeTestTools || !tests);
	return Promise.all(needed.map(async requirement => ({...requirement, found: await locate(requirement)})));
}

async function locate({program, library, file}: Requirement): Promise<string | undefined> {
	if (program) {
		const directory = await directoryOnPath(program);
		return directory && path.join(directory, program);
	}
	const candidates = file ? [file] : libraryDirectories.map(directory => path.join(directory, library ?? ''));
	return candidates.find(candidate => existsSync(candidate));
}

/** A program's version, for display. */
export async function versionOf(program: string): Promise<string> {
	const {stdout, stderr} = await programs()(program, ['--version'], {reject: false, timeout: 5000});
	return /\d+(?:\.\d+)+\S*/.exec(stdout || stderr)?.[0] ?? 'unknown version';
}

/** Shell command for root on Debian. */
export function installCommand(missing: readonly Finding[]): string {
	const names = missing.map(finding => finding.package).join(' ');
	return `apt-get update && apt-get install -y --no-install-recommends ${names}`;
}

/**
 * Installs missing packages, as root or with passwordless sudo. Throws UsageError, with the command, when it cannot.
 */
export async function installMissing(
	missing: readonly Finding[],
	{signal}: {signal?: AbortSignal} = {},
): Promise<void> {
	const names = missing.map(finding => finding.package);
	const command = installCommand(missing);
	if (!(await directoryOnPath('apt-get'))) {
		throw new UsageError(`This host has no apt-get; install what Debian calls ${names.join(', ')}.`);
	}
	const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
	if (prefix.length > 0 && (await programs()('sudo', ['-n', 'true'], {reject: false})).failed) {
		throw new UsageError(`Packages are missing. Run as root: ${command}`);
	}
	say(`installing ${names.join(', ')}.`);
	const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q'];
	for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
		const [program, ...rest] = [...prefix, ...apt, ...args];
		// Standard output is reserved for results.
		const {failed, stderr} = await programs()(program!, rest, {
			reject: false,
			stdout: [2],
			stderr: ['pipe', 2],
			cancelSignal: signal,
		});
		signal?.throwIfAborted();
		// An update may fail for one source and still suffice.
		if (failed && args[0] === 'install') {
			throw new UsageError(`apt-get could not install ${names.join(', ')}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
		}
	}
}
