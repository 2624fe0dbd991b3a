import {existsSync} from 'node:fs';
import {cacheEntryOf, isWhole} from '../host/cache.ts';

/** One bootable Linux with what is needed to build modules for it. All paths are absolute and of immutable files. */
export type Kernel = {
	/** What the person called it: `debian-6.1`. */
	readonly id: string;
	/** What `uname -r` says. */
	readonly release: string;
	readonly bzImage: string;
	/** Uncompressed, bootable through PVH; saves the guest the decompression. */
	readonly vmlinux?: string;
	/** The kernel with its symbols, for gdb; not every such file can be booted. */
	readonly symbols?: string;
	/** For `make -C buildTree M=…`. */
	readonly buildTree: string;
	/** Arguments that make needs for modules of this kernel. */
	readonly make?: readonly string[];
	/** `lib/modules/RELEASE`, where the kernel has modules. */
	readonly modules?: string;
	/** The kernel's symbols in the form of /proc/kallsyms. */
	readonly kallsyms?: string;
	/** For people: package and version, or tarball. */
	readonly origin: string;
	/** `cloud`, `debug`, … */
	readonly flavour: string;
	/** The .config it was built with. */
	readonly config: string;
};

/** How a kernel is to be had. */
export type ObtainOptions = {
	readonly signal?: AbortSignal;
	/** Ask the archive even if it was asked not long ago. */
	readonly refresh?: boolean;
	/** A tree to build a release from instead of fetching it; never written to. */
	readonly source?: string;
	/** Called with a kernel that was just built; where it throws, what was built is not kept. */
	readonly prove?: (kernel: Kernel) => Promise<void>;
};

/** Whether a kernel of the cache is still there as it was put there. */
export async function isKernelWhole({bzImage, buildTree}: Kernel): Promise<boolean> {
	return existsSync(bzImage) && existsSync(buildTree) && (await isWhole(cacheEntryOf(bzImage)));
}
