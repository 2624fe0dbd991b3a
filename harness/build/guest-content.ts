// SPDX-License-Identifier: GPL-2.0
import type {Fragment} from '../kernels/fragment.ts';
import type {Kernel} from '../kernels/kernel.ts';

/** Arguments to add to make's command line; a function gives them for each kernel. */
export type MakeArguments = readonly string[] | ((kernel: Pick<Kernel, 'id' | 'release'>) => readonly string[]);

/** A module to build for a kernel, or one that is built already, and to insert. */
export type ModuleSource = {
	/** For messages and the cache. Default: the name of the directory or file. */
	readonly name?: string;
	/** Path of a directory with a Kbuild file or Makefile, or of a FILE.ko. */
	readonly from: string;
	/** How messages of the compiler name the directory. Default: its own name. */
	readonly place?: string;
	/** Passed to the module when it is inserted, for example `debug=1`. */
	readonly parameters?: string;
	readonly make?: MakeArguments;
	/** Warnings of the compiler fail the build, and make probes the compiler only in a full build. Needs a Kbuild file that calls no make. */
	readonly isStrict?: boolean;
};

/** A file to push into the guest: `path` in the guest without a leading slash, `source` on the host. */
export type PushedFile = {readonly path: string; readonly source: string; readonly mode: number};

export type ContentOptions = {
	readonly signal?: AbortSignal | undefined;
	/** Called when something must be built, before it is. */
	readonly onBuild?: () => void;
};

/** What guests hold beside their kernel and the base system. */
export type GuestContent = {
	/** What their kernels must have. */
	readonly fragment?: Fragment;
	/** In the order of insertion. */
	readonly modules: readonly ModuleSource[];
	/** Builds, or finds, all other files. Throws BuildError with the compiler's output. */
	files(options: ContentOptions): Promise<readonly PushedFile[]>;
	/** The path of an agent in the guest that replaces the one that the guest boots with. */
	readonly agent?: string;
	/** Called before a guest is saved, to do once what each restored guest would do; `call` is an operation of the agent. */
	warmUp?(call: (op: string, request: object) => Promise<unknown>): Promise<void>;
};

/** Where modules and a suite's own files are in the guest; LIBRARY in guest/agent/core/core.h must match. */
export const library = 'usr/lib/probe-matrix';
