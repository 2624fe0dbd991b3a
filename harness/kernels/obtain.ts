import {debianRow} from './catalogue.ts';
import {obtainDebianKernel} from './debian.ts';
import type {Kernel} from './kernel.ts';
import {parseKernelId} from './kernel-id.ts';
import {obtainDirectory, obtainRelease} from './source.ts';

export type ObtainOptions = {
	readonly signal?: AbortSignal;
	/** Ask the archive even if it was asked not long ago. */
	readonly refresh?: boolean;
	/** A tree to build a release from instead of fetching it; never written to. */
	readonly source?: string;
};

/**
 * The kernel of that id, from the cache, fetched or built. Throws KernelUnavailableError for one that cannot be had here
 * and now, BuildError for one that does not compile, UsageError for an id or a tree that is none.
 */
export async function obtainKernel(text: string, options: ObtainOptions = {}): Promise<Kernel> {
	const id = parseKernelId(text);
	switch (id.kind) {
		case 'debian':
			return obtainDebianKernel(id.id, debianRow(id.id)!, options);
		case 'release':
			return obtainRelease(id, options);
		case 'directory':
			return obtainDirectory(id, options);
	}
}
