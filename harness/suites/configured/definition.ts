// SPDX-License-Identifier: GPL-2.0
import type {MakeArguments} from '../../build/guest-content.ts';
import type {Case, CaseContext} from '../../engine/case.ts';
import type {OpenedCell, SuiteGuest} from '../../engine/suite.ts';

/** A module of a suite. Paths are relative to the file of the suite. */
export type ModuleDefinition = {
	/** A directory with a Kbuild file or Makefile, or a FILE.ko. */
	readonly from: string;
	/** Passed to the module when it is inserted, for example `debug=1`. */
	readonly parameters?: string;
	/** Arguments to add to make's command line, or a function that gives them for a kernel. */
	readonly make?: MakeArguments;
};

/** A file or directory of a suite for its guests. */
export type FileDefinition = {
	/** Relative to the file of the suite. */
	readonly from: string;
	/** The path in the guest; a relative one is below /root. Default: the name of `from`, in /root. */
	readonly to?: string;
};

/** What `probe-matrix.config.ts` exports as its default. */
export type SuiteDefinition<Added extends object = object> = {
	/** Letters, digits and ._+- */
	readonly name: string;
	/** In the order of insertion. */
	readonly modules?: readonly (string | ModuleDefinition)[];
	/** A command that makes files for the guest, run in the directory of the file of the suite before they are read. */
	readonly build?: readonly string[];
	readonly files?: readonly (string | FileDefinition)[];
	/**
	 * A file with options, as in a .config, that kernels must have: those that are built here are built with them, others
	 * are used only if they have them.
	 */
	readonly kconfig?: string;
	readonly kernels?: {
		/** The kernel of a command that names none. Default: debian-6.1. */
		readonly default?: string;
		/** What nightly runs test. Default: every kernel that probe-matrix knows. */
		readonly tested?: readonly string[];
	};
	/** A directory whose executables are cases, too. */
	readonly tests?: string;
	/** Cases, or globs of files that export them, relative to the file of the suite. */
	readonly cases?: readonly (string | Case<CaseContext & Added>)[];
	/** All targets that cases have, in the order of reports. Default: those of the cases, as they come. */
	readonly targets?: readonly string[];
	/** Adds to the context of each case. */
	open?(opened: OpenedCell): Added;
	/** Called in the guest before each case. */
	beforeCell?(guest: Pick<SuiteGuest, 'exec'>): Promise<unknown>;
	/** Sentences about what a case has left in the guest, without the final stop; none if the guest is clean. */
	leftovers?(guest: Pick<SuiteGuest, 'exec'>): Promise<readonly string[]>;
};

/** Declares the suite of a repository; see docs/suites.md for a complete example. */
export function defineSuite<Added extends object = object>(definition: SuiteDefinition<Added>): SuiteDefinition<Added> {
	return definition;
}
