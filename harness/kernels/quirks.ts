// SPDX-License-Identifier: GPL-2.0
import rows from '../../images/quirks.json' with {type: 'json'};
import {compareReleases} from './kernel-version.ts';

/** What a range of releases needs to be built with today's tools, and why. */
export type Quirk = {
	readonly from: string;
	/** The first release that does not need it. */
	readonly before: string;
	readonly reason: string;
	/** Only for these flavours; default: all. */
	readonly flavours?: readonly string[];
	/** Lines of a .config; they win over the fragments. */
	readonly config?: readonly string[];
	/** Arguments of make. */
	readonly make?: readonly string[];
	/** For C files of the kernel and of its modules. */
	readonly cflags?: readonly string[];
	/** Replacements in the sources; where `old` is not found, the tree is fixed already. */
	readonly replace?: readonly {readonly file: string; readonly old: string; readonly new: string}[];
};

/** The quirks for a release (`5.10` or `5.10.1`) in a flavour. */
export function quirksOf(version: string, flavour: string, all: readonly Quirk[] = rows): readonly Quirk[] {
	return all.filter(
		({from, before, flavours}) =>
			compareReleases(version, from) >= 0 &&
			compareReleases(version, before) < 0 &&
			(flavours?.includes(flavour) ?? true),
	);
}
