// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';

/** The host's boot id; undefined when /proc does not have it. */
export function bootId(): string | undefined {
	try {
		return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	} catch {
		return undefined;
	}
}
