// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {sampleRun} from '../../test/sample-run.ts';
import {reportFormats} from './formats.ts';

// Annotations have a message and a command only.
for (const name of ['html', 'junit', 'markdown', 'tap', 'ktap'] as const) {
	test(`${name} says where the console and the memory of a guest are`, t => {
		const text = reportFormats[name].write({record: sampleRun()});
		t.true(text.includes('/var/runs/1/debian-6.1.console'));
		t.true(text.includes('/var/runs/1/debian-6.1.vmcore, 61 MiB'));
	});
}
