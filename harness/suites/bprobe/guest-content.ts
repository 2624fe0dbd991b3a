// SPDX-License-Identifier: GPL-2.0
import {cp, readdir} from 'node:fs/promises';
import path from 'node:path';
import {programsCommand} from '../../build/guest-build.ts';
import {type ContentOptions, type GuestContent, library, type PushedFile} from '../../build/guest-content.ts';
import {buildOnce} from '../../build/make.ts';
import {projectRoot} from '../../build/sources.ts';

/** What is in guests that test bprobe. `module`: sources of bprobe to build instead of the project's own. */
export function bprobeContent({module = path.join(projectRoot, 'kmod')}: {module?: string} = {}): GuestContent {
	return {
		modules: [
			{name: 'fixtures', from: path.join(projectRoot, 'fixtures'), isStrict: true},
			{name: 'bprobe', from: module, place: 'kmod', isStrict: true},
		],
		files: async options => guestFiles(await buildPrograms(options)),
		agent: `/${library}/agent`,
		// Reading all symbols takes the agent a second.
		async warmUp(call) {
			await call('symbols', {names: ['fx_asm_fentry']});
		},
	};
}

/** The agent with the suite's operations, bprobectl, the eBPF objects, and libbprobe as a library. */
async function buildPrograms({signal, onBuild}: ContentOptions): Promise<string> {
	return buildOnce({
		name: 'guest-suite',
		sources: ['guest', 'kmod/bprobe.h', 'fixtures/fixtures.h'],
		tools: ['gcc', 'clang', 'ld'],
		key: '',
		commands: async copy => [programsCommand(copy, 'suite')],
		deliver: async (copy, to) => {
			for (const name of ['agent', 'bprobectl', 'libbprobe.a', 'include'])
				await cp(path.join(copy, 'out', name), path.join(to, name), {recursive: true});
			await cp(path.join(copy, 'out/programs'), path.join(to, 'programs'), {
				recursive: true,
				filter: source => !source.endsWith('.d'),
			});
		},
		signal,
		...(onBuild && {onBuild}),
	});
}

async function guestFiles(programs: string): Promise<readonly PushedFile[]> {
	const entries = await readdir(path.join(programs, 'programs'), {recursive: true});
	const objects = entries.filter(name => name.endsWith('.o')).toSorted();
	return [
		{path: `${library}/agent`, source: path.join(programs, 'agent'), mode: 0o755},
		{path: 'usr/bin/bprobectl', source: path.join(programs, 'bprobectl'), mode: 0o755},
		...objects.map(name => ({
			path: `${library}/programs/${name}`,
			source: path.join(programs, 'programs', name),
			mode: 0o644,
		})),
	];
}
