// SPDX-License-Identifier: GPL-2.0
import type {Instance} from '../harness/vm/instance.ts';

/** What bprobe has in a guest: as text what must be the same at the end, and allocated memory, which grows only with leaks. */
export async function stateOf(guest: Pick<Instance, 'link'>): Promise<{text: string; kib: number}> {
	const {stdout} = await (await guest.link()).exec(
		[
			'grep -E "^(bprobe|fixtures) " /proc/modules | cut -d" " -f1-3',
			'head -1 /dev/bprobe',
			'grep -cE "^(entry|return) " /dev/bprobe',
			'sync',
			'echo 3 > /proc/sys/vm/drop_caches',
			'grep -E "^(SUnreclaim|Percpu)" /proc/meminfo',
		].join('; '),
	);
	const kib = [...stdout.matchAll(/^(?:SUnreclaim|Percpu): +(\d+) kB$/gm)].reduce(
		(sum, [, each]) => sum + Number(each),
		0,
	);
	return {text: stdout.replaceAll(/^(?:SUnreclaim|Percpu).*\n?/gm, '').trim(), kib};
}
