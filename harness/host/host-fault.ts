// SPDX-License-Identifier: GPL-2.0

/** A compiler that the host's kernel killed, or that got no memory. */
const faults = /^.*(?:Killed signal terminated program|Cannot allocate memory|virtual memory exhausted).*$/m;

/** Why a build failed for which neither the sources nor their commit are to blame: part of a sentence, if so. */
export function hostFaultOf(words: string, {signal}: {signal: string | undefined}): string | undefined {
	return faults.exec(words)?.[0].trim() ?? (signal === undefined ? undefined : `make was killed by ${signal}`);
}
