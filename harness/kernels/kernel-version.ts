// SPDX-License-Identifier: GPL-2.0
/** Compares kernel versions: negative, 0 or positive. 4.15 equals 4.15.0; 5.0-rc1 comes before 5.0. */
export function compareReleases(a: string, b: string): number {
	const [x, y] = [numbersOf(a), numbersOf(b)];
	for (let index = 0; index < 4; index += 1) {
		const order = x[index]! - y[index]!;
		if (order !== 0) return order;
	}
	return 0;
}

/** The name at kernel.org: `4.15` for 4.15.0. */
export function releaseName(version: string): string {
	return version.replace(/^(\d+\.\d+)\.0(?=$|-)/, '$1');
}

/** Whether the text is a kernel.org release: `4.15.18`, `5.0`, `6.1-rc3`. */
export function isRelease(text: string): boolean {
	return /^\d{1,2}\.\d{1,3}(?:\.\d{1,4})?(?:-rc\d{1,2})?$/.test(text);
}

// Greater than any release candidate's number.
const released = 1000;

function numbersOf(version: string): readonly number[] {
	const [, major, minor, patch, candidate] = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-rc(\d+))?/.exec(version) ?? [];
	return [major, minor, patch, candidate ?? released].map(part => Number(part ?? 0));
}
