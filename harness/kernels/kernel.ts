// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {cacheEntryOf, isWhole} from '../host/cache.ts';
import type {Fragment} from './fragment.ts';

/** A bootable kernel and what is needed to build modules for it. All paths are absolute; the files never change. */
export type Kernel = {
	/** As the user named it: `debian-6.1`. */
	readonly id: string;
	/** Output of `uname -r`. */
	readonly release: string;
	readonly bzImage: string;
	/** Uncompressed and bootable through PVH, which saves the guest the decompression. */
	readonly vmlinux?: string;
	/** ELF file with symbols, for gdb; not always bootable. */
	readonly symbols?: string;
	/** For `make -C buildTree M=…`. */
	readonly buildTree: string;
	/** Additional make arguments for modules of this kernel. */
	readonly make?: readonly string[];
	/** `lib/modules/RELEASE`, if the kernel has modules. */
	readonly modules?: string;
	/** The kernel's symbols in the format of /proc/kallsyms. */
	readonly kallsyms?: string;
	/** For display: package and version, or tarball. */
	readonly origin: string;
	/** `cloud`, `debug`, … */
	readonly flavour: string;
	/** The .config that it was built with. */
	readonly config: string;
};

/** Options for obtaining a kernel. */
export type ObtainOptions = {
	readonly signal?: AbortSignal;
	/** Check the archive again, even if it was checked recently. */
	readonly refresh?: boolean;
	/** A tree to build a release from instead of fetching it; never written to. */
	readonly source?: string;
	/** What the kernel must have. */
	readonly fragment?: Fragment | undefined;
	/** Called with a kernel that was just built. If it throws, the build is not kept. */
	readonly prove?: (kernel: Kernel) => Promise<void>;
};

const texts = ['id', 'release', 'bzImage', 'buildTree', 'origin', 'flavour', 'config'] as const;

/** Whether a record of the cache is one of a kernel. */
export function isKernel(value: unknown): value is Kernel {
	if (typeof value !== 'object' || value === null) return false;
	return texts.every(name => typeof (value as Partial<Kernel>)[name] === 'string');
}

/** Whether a kernel in the cache is still undamaged. */
export async function isKernelWhole(kernel: unknown): Promise<boolean> {
	if (!isKernel(kernel)) return false;
	const {bzImage, buildTree} = kernel;
	return existsSync(bzImage) && existsSync(buildTree) && (await isWhole(cacheEntryOf(bzImage)));
}
