// SPDX-License-Identifier: GPL-2.0
/** An edit that makes the project worse, and what must notice. */
export interface Edit {
	/** Names the edit in tables and for --match, such as `frame-without-prune`. */
	readonly name: string;
	/** Path in the repository. */
	readonly file: string;
	/** Occurs exactly once in the file. */
	readonly old: string;
	readonly new: string;
	/** What a user would meet. */
	readonly effect: string;
	/** Cells (patterns as for `run --match`) of the suite bprobe, or test files of AVA. At least one must fail. */
	readonly catchers: readonly string[];
	/** A cell of another kernel than debian-6.1 has to catch it. */
	readonly kernel?: string;
	/** Why no test can see it: its behaviour is the same. */
	readonly equivalent?: string;
}
