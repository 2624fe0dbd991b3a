// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {cp, mkdir, mkdtempDisposable, readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestBuild} from '../../build/guest-build.ts';
import {firstError, runMake} from '../../build/make.ts';
import {requireModuleSources} from '../../build/module-build.ts';
import {toolchainOf} from '../../build/toolchain.ts';
import type {Suite} from '../../engine/suite.ts';
import {cacheDirectory} from '../../host/cache.ts';
import {UsageError} from '../../host/errors.ts';
import {normalizeMessage} from '../../results/run/normalize-message.ts';
import {hashModules} from './module-fingerprint.ts';
import {guestCells, type OpenPredicate, type Predicate} from './predicate.ts';

const deadlineMs = 10_000;

/**
 * Tests whether an out-of-tree module builds, loads and unloads. Throws UsageError when the directory has neither a
 * Kbuild nor a Makefile.
 */
export async function modulePredicate(
	suite: Suite,
	directory: string,
	{signal}: {signal: AbortSignal},
): Promise<Predicate> {
	requireModuleSources(directory);
	return {
		suite,
		title: `whether the module in ${directory} builds and loads`,
		identity: JSON.stringify(['module', await hashDirectory(directory)]),
		open: guestBuild => open(suite, directory, guestBuild, signal),
	};
}

async function open(
	suite: Suite,
	directory: string,
	guestBuild: GuestBuild,
	signal: AbortSignal,
): Promise<OpenPredicate> {
	const {kernel} = guestBuild;
	// The compilers of other Debian suites may write only here; see build/toolchain.ts.
	await using work = await mkdtempDisposable(path.join(cacheDirectory('bisect'), 'module-'));
	const copy = path.join(work.path, 'module');
	await mkdir(copy);
	await cp(directory, copy, {recursive: true, filter: file => !/\.(?:ko|o|mod|mod\.c|cmd)$/.test(file)});
	const {cc, make} = await toolchainOf(kernel, {signal});
	const target = ['-C', kernel.buildTree, `M=${copy}`, `CC=${cc}`, ...(kernel.make ?? []), 'modules'];
	const command = [...make(work.path), '--no-print-directory', '-j2', ...target];
	const {words, failure} = await runMake({name: `The module in ${directory}`, cwd: work.path, command, signal});
	if (failure !== undefined) {
		const message = firstError(words).replaceAll(`${copy}/`, '');
		const symptom = `build: ${normalizeMessage(message, {hidesSmallNumbers: true})}`;
		return {fingerprint: symptom, symptom, message: `the module does not build: ${message}`};
	}
	const names = (await readdir(copy)).filter(name => name.endsWith('.ko'));
	if (names.length === 0) {
		const said = words.trim().split('\n').slice(-5).join('\n').replaceAll(`${copy}/`, '');
		throw new UsageError(
			`The module in ${directory} produced no .ko when it was built; does its Kbuild name one?${said && ` Make said:\n${said}`}`,
		);
	}
	const files = await Promise.all(names.map(async name => ({path: name, data: await readFile(path.join(copy, name))})));
	return {
		fingerprint: await hashModules(names.map(name => path.join(copy, name))),
		cells: repeat =>
			guestCells({suite, kernel: kernel.id, id: 'bisect/module', deadlineMs, repeat}, async ({push, exec}) => {
				await push(...files);
				for (const name of names) {
					const {code, stderr} = await exec(`insmod /root/${name}`);
					assert.equal(code, 0, `${name} does not load: ${stderr.trim()}`);
				}
				for (const name of names.toReversed()) {
					const {code, stderr} = await exec(`rmmod ${path.basename(name, '.ko')}`);
					assert.equal(code, 0, `${name} cannot be unloaded: ${stderr.trim()}`);
				}
			}),
	};
}

async function hashDirectory(directory: string): Promise<string> {
	const hash = createHash('sha256');
	for (const name of (await readdir(directory, {recursive: true})).toSorted()) {
		if (!/(?:\.[chS]|Kbuild|Makefile)$/.test(name)) continue;
		hash.update(`${name}\0`).update(await readFile(path.join(directory, name)));
	}
	return hash.digest('hex');
}
