import type {Command} from 'commander';
import {nightlyKernels} from '../kernels/catalogue.ts';
import {type ListedKernel, listKernels, pruneCache} from '../kernels/inventory.ts';
import {homeKernel} from '../matrix/tested-kernels.ts';

type FetchOptions = {readonly refresh: boolean; readonly source?: string};

const names = `
A kernel is named by
  debian-6.1              the newest of that series in Debian's archive
  4.15.18                 a release of kernel.org, built here; any release will do
  4.15.18+debug           the same in a flavour: debug, nopreempt, orc
  4.15.0-72-generic       the release under an Ubuntu kernel; also ubuntu:4.15.0-72.81
  ./linux                 a tree, used as it is if it is built, else built elsewhere`;

export function addKernels(kernels: Command, signal: AbortSignal): void {
	kernels.addHelpText('after', names);
	kernels
		.command('list')
		.description('those that are known, and what of them is in the cache')
		.option('--json', 'as JSON, for scripts: with the flavours, whether in the cache or not', false)
		.action(async ({json}: {json: boolean}) => {
			const listed = await listKernels();
			process.stdout.write(json ? `${JSON.stringify(withFlavours(listed))}\n` : formatList(listed));
		});
	kernels
		.command('resolve')
		.argument('<name...>')
		.option('--source <dir>', 'a tree to build a release from')
		.description('says what a name means now; fetches and builds nothing')
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
		.option('--refresh', 'ask the archive for a newer one even if it was asked not long ago', false)
		.option('--source <dir>', 'build releases from this tree instead of fetching them; it is not written to')
		.description('brings kernels into the cache, building them if need be')
		.addHelpText('after', names)
		.action(async (wanted: readonly string[], {refresh, source}: FetchOptions) => {
			const {obtainBootableKernel} = await import('../matrix/bootable-kernel.ts');
			for (const name of wanted) {
				const kernel = await obtainBootableKernel(name, {signal, refresh, ...(source !== undefined && {source})});
				process.stdout.write(`${JSON.stringify(kernel, null, '\t')}\n`);
			}
		});
	kernels
		.command('prune')
		.description('removes from the cache what nothing refers to any more, and interrupted builds')
		.action(async () => {
			process.stdout.write(`${megabytes(await pruneCache({signal}))} freed\n`);
		});
}

/** What `nightly` runs on stands in the list, too. */
function withFlavours(listed: readonly ListedKernel[]): readonly (ListedKernel & {readonly isNightly: boolean})[] {
	const nightly = nightlyKernels(homeKernel);
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
