import {debianRow, unknownKernel} from './catalogue.ts';
import {obtainDebianKernel} from './debian.ts';
import type {Kernel} from './kernel.ts';

export type ObtainOptions = {
	readonly signal?: AbortSignal;
	/** Ask the archive even if it was asked not long ago. */
	readonly refresh?: boolean;
};

/** The kernel of that id, from the cache or fetched. Throws UsageError for an id that is not known. */
export async function obtainKernel(id: string, options: ObtainOptions = {}): Promise<Kernel> {
	const row = debianRow(id);
	if (row) return obtainDebianKernel(id, row, options);
	throw unknownKernel(id);
}
