// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {nightlyKernels} from '../kernels/catalogue.ts';
import {defaultKernel} from '../kernels/default-kernels.ts';
import {type ListedKernel, listKernels, pruneCache} from '../kernels/inventory.ts';
import {sourceOption} from './shared-options.ts';

type FetchOptions = {readonly refresh: boolean; readonly source?: string};

const names = `
A kernel is named by
  debian-6.1              the newest of this series in Debian's archive
  4.15.18                 any kernel.org release, built on this host
  4.15.18+debug           the same in another flavour: debug, kcsan,
                          nopreempt, orc
  4.15.0-72-generic       the release under an Ubuntu kernel; also ubuntu:4.15.0-72.81
  ./linux                 a source tree: used as it is if built, else built elsewhere`;

export function addKernels(kernels: Command, signal: AbortSignal): void {
	kernels.addHelpText('after', names);
	kernels
		.command('list')
		.description('list known kernels, and which are in the cache')
		.option('--json', 'as JSON for scripts, with all flavours')
		.action(async ({json}: {json?: boolean}) => {
			const listed = await listKernels();
			process.stdout.write(json ? `${JSON.stringify(withFlavours(listed))}\n` : formatList(listed));
		});
	kernels
		.command('resolve')
		.argument('<name...>')
		.option('--source <dir>', 'tree to build a release from')
		.description('print which kernel a name stands for; fetches and builds nothing')
		.action(async (wanted: readonly string[], {source}: {source?: string}) => {
			const {resolveKernel} = await import('../kernels/resolve.ts');
			for (const name of wanted) {
				const {id, release, origin} = await resolveKernel(name, {signal, ...(source !== undefined && {source})});
				process.stdout.write(`${id}\t${release}\t${origin}\n`);
			}
		});
	kernels
		.command('fetch')
		.argument('<name...>')
		.option('--refresh', 'check the archive again, even if it was checked recently')
		.addOption(sourceOption())
		.description('fetch kernels into the cache, or build them')
		.addHelpText('after', names)
		.action(async (wanted: readonly string[], {refresh, source}: FetchOptions) => {
			const {obtainBootableKernel} = await import('../guest/bootable-kernel.ts');
			for (const name of wanted) {
				const kernel = await obtainBootableKernel(name, {signal, refresh, ...(source !== undefined && {source})});
				process.stdout.write(`${JSON.stringify(kernel, null, '\t')}\n`);
			}
		});
	kernels
		.command('prune')
		.description('remove unused kernels and interrupted builds from the cache')
		.action(async () => {
			process.stdout.write(`${megabytes(await pruneCache({signal}))} freed\n`);
		});
}

/** Adds kernels that only `nightly` runs on. */
function withFlavours(listed: readonly ListedKernel[]): readonly (ListedKernel & {readonly isNightly: boolean})[] {
	const nightly = nightlyKernels(defaultKernel);
	const unlisted = nightly.filter(id => !listed.some(kernel => kernel.id === id)).map(id => ({id}));
	return [...listed, ...unlisted].map(kernel => ({...kernel, isNightly: nightly.includes(kernel.id)}));
}

function formatList(kernels: readonly ListedKernel[]): string {
	const rows = kernels.map(({id, cached}) => [
		id,
		cached?.release ?? '-',
		cached ? megabytes(cached.sizeBytes) : '-',
		cached?.origin ?? 'not in the cache',
	]);
	const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column]!.length)));
	return rows
		.map(
			row =>
				`${row
					.map((cell, column) => cell.padEnd(widths[column] ?? 0))
					.join('  ')
					.trimEnd()}\n`,
		)
		.join('');
}

function megabytes(bytes: number): string {
	return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
