import type {CaseContext} from '../case.ts';

/** Whether the guest's Linux is older than that release; for what it can be known by in no other way. */
export async function isBefore(context: CaseContext, major: number, minor: number): Promise<boolean> {
	const {stdout} = await context.exec('uname -r');
	const [itsMajor, itsMinor] = stdout.split('.').map(Number) as [number, number];
	return itsMajor < major || (itsMajor === major && itsMinor < minor);
}
