// SPDX-License-Identifier: GPL-2.0
import map from '../../images/ubuntu.json' with {type: 'json'};
import {UsageError} from '../host/errors.ts';

const series: Readonly<Record<string, Readonly<Record<string, string>>>> = map.series;

/**
 * The mainline release that an Ubuntu kernel is based on. Takes `ubuntu:4.15.0-72.81`, `4.15.0-72-generic`, or the line
 * of /proc/version_signature; returns undefined for any other text. Throws UsageError when the map lacks the kernel.
 */
export function ubuntuBase(text: string): string | undefined {
	const signature = /^Ubuntu \S+ (\d+\.\d+(?:\.\d+)?)$/.exec(text.trim());
	if (signature) return signature[1];
	const match = /^(?:ubuntu:)?(\d+\.\d+\.\d+)-(\d+)(?:\.\d+)?(?:[~-][\w.~-]+)?$/.exec(text);
	if (!match) {
		if (text.startsWith('ubuntu:')) throw new UsageError(`${text} is not an Ubuntu name such as ubuntu:4.15.0-72.81.`);
		return undefined;
	}
	const [, base, abi] = match;
	const table = series[base!];
	if (!table) {
		throw new UsageError(
			`The map of Ubuntu kernels has no series ${base} (for ${text}); it has ${Object.keys(series).join(', ')}. /proc/version_signature on that machine ends with the release to ask for.`,
		);
	}
	const found = Object.keys(table)
		.map(Number)
		.findLast(first => first <= Number(abi));
	if (found === undefined) {
		const first = Object.keys(table)[0]!;
		throw new UsageError(
			`${text}: below ABI ${first} the kernels were release candidates; the nearest known is ${base}-${first} (${table[first]}).`,
		);
	}
	return table[String(found)];
}
