import rows from '../../images/quirks.json' with {type: 'json'};
import {compareReleases} from './kernel-version.ts';

/** What some releases need to be built by today's tools, and why. */
export type Quirk = {
	readonly from: string;
	/** The first release that does not need it. */
	readonly before: string;
	readonly reason: string;
	/** Only for these; else for all. */
	readonly flavours?: readonly string[];
	/** Lines of a .config, stronger than the fragments. */
	readonly config?: readonly string[];
	/** Arguments of make. */
	readonly make?: readonly string[];
	/** For the kernel's C files and those of its modules. */
	readonly cflags?: readonly string[];
	/** Text in the sources; where `old` is not found, the tree has been repaired already. */
	readonly replace?: readonly {readonly file: string; readonly old: string; readonly new: string}[];
};

/** Those that hold for a release, `5.10` or `5.10.1`, in that flavour. */
export function quirksOf(version: string, flavour: string, all: readonly Quirk[] = rows): readonly Quirk[] {
	return all.filter(
		({from, before, flavours}) =>
			compareReleases(version, from) >= 0 &&
			compareReleases(version, before) < 0 &&
			(flavours?.includes(flavour) ?? true),
	);
}
