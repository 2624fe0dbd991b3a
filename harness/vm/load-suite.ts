// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {GuestBuild} from '../build/guest-build.ts';
import type {GuestModule} from '../build/module-build.ts';
import {findKernelReports} from '../crash/crash-detector.ts';
import {AgentError, LoadError, messageOf} from '../host/errors.ts';
import {push} from '../link/transfer.ts';
import type {Instance} from './instance.ts';

/** What was pushed: size of the tar stream in bytes, and time in ms, connecting included. */
export type Pushed = {readonly bytes: number; readonly ms: number};

/** What is pushed, see GuestBuild. */
export type SuiteFiles = Pick<GuestBuild, 'files' | 'modules' | 'content'>;

/**
 * Pushes a suite's files over SSH into a booted guest, replaces the agent if the suite has one, and inserts its modules.
 * Throws LoadError when a module is at fault, GuestError when the guest is.
 */
export async function loadSuite(
	guest: Instance,
	{files, modules, content}: SuiteFiles,
	{signal}: {signal?: AbortSignal | undefined} = {},
): Promise<Pushed> {
	const since = performance.now();
	const contents = files.map(async ({path: name, source, mode}) => ({path: name, data: await readFile(source), mode}));
	const [link, ...all] = await Promise.all([guest.link({signal}), ...contents]);
	const bytes = await push(link, '/', all, {signal});
	const ms = performance.now() - since;
	if (content.agent !== undefined) await guest.agent.call('become', {path: content.agent});
	for (const module of modules) await insert(guest, module);
	return {bytes, ms: Math.round(ms)};
}

async function insert({agent, vm}: Instance, {file, parameters, isKernels}: GuestModule): Promise<void> {
	const before = vm.console.end;
	const module = path.basename(file, '.ko');
	try {
		await agent.call('insmod', {module, ...(parameters !== undefined && {parameters})}, {deadlineMs: 60_000});
	} catch (error) {
		// Drivers that the guest has booted with are loaded already.
		if (isKernels && error instanceof AgentError && error.errno === 'EEXIST') return;
		await vm.console.refresh().catch(() => {});
		const said = vm.console.from(before).trim();
		const [report] = findKernelReports(said);
		if (!report && !(error instanceof AgentError)) throw error;
		const why = report?.title ?? messageOf(error).replace(/^insmod: /, '');
		const words = said ? `\nThe kernel says:\n${said.split('\n').slice(-12).join('\n')}` : '';
		throw new LoadError(`${module}.ko does not load: ${why}${words}`, {cause: error});
	}
}
