// SPDX-License-Identifier: GPL-2.0
if (!process.features.typescript) {
	throw new Error(
		`The tests need Node 24.12 or newer, which strips types by itself; this is ${process.version}. Use npm test.`,
	);
}

export default {
	files: ['harness/**/*.test.ts', 'scripts/**/*.test.ts'],
	extensions: ['ts'],
	timeout: '15m',
};
