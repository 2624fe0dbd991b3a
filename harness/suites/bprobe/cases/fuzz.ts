// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {defineCase} from '../case.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

/** The number of ioctls in a matrix run; scripts/fuzz.ts makes more. */
const calls = 6000;

export const fuzzCases = (['root', 'noSysAdmin', 'userNamespace'] as const).map(as =>
	defineCase({
		id: `module/random-ioctls-${{root: 'by-root', noSysAdmin: 'without-the-right', userNamespace: 'of-a-namespace'}[as]}`,
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			if (as === 'userNamespace' && !context.hasOption('CONFIG_USER_NS'))
				context.skip('The kernel is built without CONFIG_USER_NS.');
			const prog = await context.load('count');
			const references = async () => (await context.exec('cat /sys/module/{bprobe,fixtures}/refcnt')).stdout;
			const before = await references();
			const seed = Math.floor(Math.random() * 2 ** 31);
			const found = await context.ask('fuzz', {prog, calls, processes: 3, seed, as});
			context.evidence('fuzz', {...found, seed});
			assert.equal(found.wrong, '');
			assert.ok(found.calls >= calls);
			assert.equal(found.attached > 0, as === 'root', `attached ${found.attached} times`);
			// The probes were closed when their owners exited.
			assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m);
			assert.equal(await references(), before, 'references to modules');
			assert.equal(await framesInFlight(context), 0);
			const probe = await context.attach({point: 'return', program: prog});
			await context.call();
			onlyHits(await probe.info(), 1);
		},
	}),
);
