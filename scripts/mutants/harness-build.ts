// SPDX-License-Identifier: GPL-2.0
import type {Edit} from './edits.ts';

export const harnessBuildEdits: readonly Edit[] = [
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
