import {readFileSync} from 'node:fs';

/** Of the host; changes when that starts again. Nothing where its /proc does not tell. */
export function bootId(): string | undefined {
	try {
		return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	} catch {
		return undefined;
	}
}
