// SPDX-License-Identifier: GPL-2.0
import type {KernelFacts} from '../../engine/case.ts';

/** Whether the guest's kernel is older than this release. Only for behaviour that cannot be detected otherwise. */
export function isBefore({release}: {readonly release: string}, major: number, minor: number): boolean {
	const [itsMajor, itsMinor] = release.split('.').map(Number) as [number, number];
	return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

/** Why a case whose program asks for the kernel's types does not apply; undefined if it does. */
export function withoutBtf({hasOption}: Pick<KernelFacts, 'hasOption'>): string | undefined {
	return hasOption('CONFIG_DEBUG_INFO_BTF') ? undefined : 'The kernel is built without CONFIG_DEBUG_INFO_BTF.';
}
