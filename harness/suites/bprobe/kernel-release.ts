// SPDX-License-Identifier: GPL-2.0
/** Whether the guest's kernel is older than this release. Only for behaviour that cannot be detected otherwise. */
export function isBefore({release}: {readonly release: string}, major: number, minor: number): boolean {
	const [itsMajor, itsMinor] = release.split('.').map(Number) as [number, number];
	return itsMajor < major || (itsMajor === major && itsMinor < minor);
}
