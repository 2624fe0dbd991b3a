// SPDX-License-Identifier: GPL-2.0
import {programs} from '../host/programs.ts';
import {functionsOf} from './symbols.ts';

/**
 * Appends source lines to frames: `ring_oops+0x7/0x20 [ring]` → `ring_oops+0x7/0x20 [ring] ring.c:40`. `files` are
 * the modules with debug information, by name. The first frame is where it happened, the others are return addresses.
 * Frames that cannot be resolved are returned unchanged.
 */
export async function withSourceLines(
	frames: readonly string[],
	files: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
	return Promise.all(
		frames.map(async (frame, index) => {
			const [, name, offset, module] = /^(\S+)\+0x([\da-f]+)\/0x[\da-f]+ \[(\w+)/.exec(frame) ?? [];
			const file = module === undefined ? undefined : files[module];
			if (file === undefined) return frame;
			const found = (await functionsOf(file)).filter(each => each.name === name);
			if (found.length !== 1) return frame;
			const {value, section} = found[0]!;
			const at = value + BigInt(`0x${offset}`) - (index === 0 ? 0n : 1n);
			const line = await addressToLine(file, section, at);
			return line === undefined ? frame : `${frame} ${line}`;
		}),
	);
}

async function addressToLine(file: string, section: string, address: bigint): Promise<string | undefined> {
	const {stdout, failed} = await programs()(
		'addr2line',
		['-s', '-i', '-e', file, '-j', section, `0x${address.toString(16)}`],
		{
			reject: false,
		},
	);
	if (failed) return undefined;
	const lines = stdout.split('\n').map(line => line.trim().replace(/ \(discriminator \d+\)$/, ''));
	// For inlined code, the innermost line comes first, then its callers.
	const known = lines.filter(line => /^[^?].*:\d+$/.test(line));
	return known.length > 0 ? known.join(' < ') : undefined;
}
