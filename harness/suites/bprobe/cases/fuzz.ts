// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

/** The number of ioctls in a matrix run; scripts/fuzz.ts makes more. */
const calls = 6000;

export const fuzzCases = (['root', 'noSysAdmin', 'userNamespace'] as const).map(as =>
	defineCase({
		id: `module/random-ioctls-${{root: 'by-root', noSysAdmin: 'without-the-right', userNamespace: 'of-a-namespace'}[as]}`,
		needs: ['device'],
		missing: kernel =>
			as === 'userNamespace' && !kernel.hasOption('CONFIG_USER_NS')
				? 'The kernel is built without CONFIG_USER_NS.'
				: undefined,
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const references = async () => (await context.exec('cat /sys/module/{bprobe,fixtures}/refcnt')).stdout;
			const before = await references();
			const seed = Math.floor(Math.random() * 2 ** 31);
			const found = await context.ask('fuzz', {prog, calls, processes: 3, seed, as});
			context.evidence('fuzz', {...found, seed});
			assert.equal(found.wrong, '', 'answers that no ioctl may give');
			assert.ok(found.calls >= calls, `ioctls that were made: ${found.calls} of ${calls}`);
			assert.equal(found.attached > 0, as === 'root', `attached ${found.attached} times`);
			// The probes were closed when their owners exited.
			assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m, 'probes left in the listing');
			assert.equal(await references(), before, 'references to modules');
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
			const probe = await context.attach({point: 'return', program: prog});
			await context.call();
			onlyHits(await probe.info(), 1);
		},
	}),
);
