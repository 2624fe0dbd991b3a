// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';

export const harnessBuildEdits: readonly Edit[] = [
	{
		name: 'warnings-do-not-fail',
		file: 'harness/build/make.ts',
		old: 'const hasWarnings = isStrict && isWarning.test(words);',
		new: 'const hasWarnings = false;',
		effect: 'A warning of the compiler or of modpost about the module is never seen.',
		catchers: ['harness/build/make.test.ts'],
	},
	{
		name: 'killed-build-is-trusted',
		file: 'harness/build/make.ts',
		old: 'const isRestart = existsSync(mark) || ',
		new: 'const isRestart = ',
		effect: 'After a kill, half written objects are linked.',
		catchers: ['harness/build/make.test.ts'],
	},
	{
		name: 'warnings-seen-once-only',
		file: 'harness/build/make.ts',
		old: 'if (!hasWarnings && !isRestart) await rm(mark);',
		new: 'await rm(mark);',
		effect: 'A build with warnings fails once; the next one succeeds without a change.',
		catchers: ['harness/build/make.test.ts'],
	},
	{
		name: 'removed-source-stays',
		file: 'harness/build/sources.ts',
		old: 'if (!isSameList) return false;',
		new: '',
		effect: 'A removed source file is still compiled, and a build that cannot work seems to.',
		catchers: ['harness/build/make.test.ts'],
	},
	{
		name: 'sources-hashed-without-names',
		file: 'harness/build/sources.ts',
		old: 'hash.update(`${name}\\0`).update(readFileSync(file))',
		new: 'hash.update(readFileSync(file))',
		effect: 'A file that was renamed does not cause a build.',
		catchers: ['harness/build/make.test.ts'],
	},
	{
		name: 'build-id-kept',
		file: 'harness/build/bare-module.ts',
		old: "'--remove-section', '.note.gnu.build-id', ",
		new: '',
		effect: 'Modules that behave the same differ, so a bisect runs each of them.',
		catchers: ['harness/build/bare-module.test.ts'],
	},
	{
		name: 'cpio-not-padded',
		file: 'harness/build/cpio.ts',
		old: 'data, padding(data.length)];',
		new: 'data];',
		effect: 'The kernel finds a broken initramfs, and no guest boots.',
		catchers: ['harness/build/cpio.test.ts'],
	},
];
