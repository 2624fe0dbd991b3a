import type {CaseContext} from '../../../engine/case.ts';

/** Whether the guest's Linux is older than that release; only for what nothing else tells. */
export function isBefore({release}: CaseContext, major: number, minor: number): boolean {
	const [itsMajor, itsMinor] = release.split('.').map(Number) as [number, number];
	return itsMajor < major || (itsMajor === major && itsMinor < minor);
}
