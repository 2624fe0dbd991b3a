// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {isBefore, withoutBtf} from '../kernel-release.ts';
import {fixtures, input} from './calls.ts';
import {attachToOneOf} from './misses.ts';
import {hex, onlyHits} from './registers.ts';
import {tidily} from './tidily.ts';

/** Programs that ask the kernel for something. */
export const programCases = [
	defineCase({
		id: 'multi/program-that-casts-its-context',
		needs: ['device'],
		missing: kernel => (isBefore(kernel, 6, 2) ? 'Linux has bpf_rdonly_cast() since 6.2.' : withoutBtf(kernel)),
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const point of context.points) {
				await context.ask('reset', {});
				const probe = await context.attach({point, program: 'cast'});
				const {function: called} = await context.call({in: input});
				const {result} = await context.ask('counters', {cookie: 0});
				assert.equal(result, called, `the function in the extension block, at ${point}`);
				await probe.close();
			}
		},
	}),
	defineCase({
		id: 'multi/program-that-asks-for-its-cookie',
		needs: ['device'],
		missing: kernel => (isBefore(kernel, 5, 15) ? 'Linux has bpf_get_attach_cookie() since 5.15.' : undefined),
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const point of context.points) {
				await context.ask('reset', {});
				const probe = await context.attach({point, program: 'asks'});
				await context.call({in: input});
				const {result} = await context.ask('counters', {cookie: 0});
				// The helper looks into what the kernel's own probes leave for it. bprobe has the cookie in its extension block.
				assert.equal(result, hex(1), `what the kernel's helper returned, plus 1, at ${point}`);
				onlyHits(await probe.info(), 1);
				await probe.close();
			}
		},
	}),
	defineCase({
		id: 'multi/within-a-program-with-a-cookie',
		needs: ['device'],
		missing: kernel =>
			isBefore(kernel, 6, 0) ? 'Linux has cookies of programs on BPF trampolines since 6.0.' : withoutBtf(kernel),
		deadlineMs: 10_000,
		async run(context) {
			const inner = await attachToOneOf(context, ['htab_map_update_elem'], 'count');
			assert.ok(inner, 'none of the functions called by a program can be probed');
			// The program of fentry calls them, and then asks the kernel for its own cookie.
			const address = await context.address('mktime64');
			const request = {mechanism: 'tracing', program: 'touch_map', point: 'entry', address, cookie: 77} as const;
			const {hook} = await context.ask('hook', {...request, cookies: true});
			await tidily(
				async () => {
					for (let n = 0; n < 5; n++) await context.call({target: 'address', address});
					assert.equal((await context.ask('counters', {cookie: 77})).count, 5, 'runs of the outer program');
					for (const probe of inner) onlyHits(await probe.info(), 5);
				},
				() => context.ask('unhook', {hook}),
			);
		},
	}),
];
