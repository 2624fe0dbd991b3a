import type {Command} from 'commander';
import {knownKernels} from '../kernels/catalogue.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {resolveKernel} from '../kernels/resolve.ts';

export function addKernels(program: Command, signal: AbortSignal): void {
	const kernels = program.command('kernels').description('the kernels the matrix can run on');
	kernels
		.command('list')
		.description('the ids that are known')
		.action(() => {
			process.stdout.write(`${knownKernels().join('\n')}\n`);
		});
	kernels
		.command('resolve')
		.argument('<id...>')
		.description('says which packages an id means now, and fetches none of them')
		.action(async (ids: readonly string[]) => {
			for (const id of ids) {
				const {release, origin} = await resolveKernel(id, {signal});
				process.stdout.write(`${id}\t${release}\t${origin}\n`);
			}
		});
	kernels
		.command('fetch')
		.argument('<id...>')
		.option('--refresh', 'ask the archive for a newer one even if it was asked not long ago')
		.description('brings kernels into the cache')
		.action(async (ids: readonly string[], {refresh = false}: {refresh?: boolean}) => {
			for (const id of ids) {
				const kernel = await obtainKernel(id, {signal, refresh});
				process.stdout.write(`${JSON.stringify(kernel, null, '\t')}\n`);
			}
		});
}
