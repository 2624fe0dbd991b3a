// SPDX-License-Identifier: GPL-2.0
import type {Hex, Point} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {defineCase, type Probe} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {attachInTurn, checkPlace, everywhere, input, output} from './calls.ts';
import {generalRegisters, hex, onlyHits, pattern, sameForCaller, sameRegisters} from './registers.ts';

const call = {in: input, ret: output} as const;

export const multiCases = [
	defineCase({
		id: 'multi/two-entries',
		needs: ['entry', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const probes = [await context.attach({point: 'entry'}), await context.attach({point: 'entry'})];
			const result = await context.call(call);
			for (const probe of probes) {
				onlyHits(await probe.info(), 1);
				const events = await context.events({cookie: probe.cookie});
				assert.equal(events.length, 1, 'runs of the program');
				sameRegisters(context, `seen by program ${probe.cookie}`, {expected: result.in, seen: events[0]!.regs});
			}
		},
	}),
	defineCase({
		id: 'multi/one-of-several-closed',
		needs: ['entry', 'return', 'device'],
		targets: everywhere,
		deadlineMs: 20_000,
		async run(context) {
			const points = ['entry', 'return'] as const;
			let calls = 0;
			const ways = points.flatMap(point =>
				points.flatMap(otherPoint => [false, true].map(isAmongOthers => ({point, otherPoint, isAmongOthers}))),
			);
			for (const {point, otherPoint, isAmongOthers} of ways) {
				// The program that stays looks at what none of the others has a use for: the one that goes, one before and one behind.
				const other = await context.attach({point: otherPoint, program: 'empty'});
				const attachAnother = async () => (isAmongOthers ? context.attach({point, program: 'empty'}) : undefined);
				const before = await attachAnother();
				const probe = await context.attach({point});
				const behind = await attachAnother();
				for (const step of ['beside', 'after']) {
					if (step === 'after') await other.close();
					await context.ask('reset', {});
					// No two calls are alike: what an earlier one left must not do for this one.
					const result = await context.call({in: pattern(10 + ++calls), ret: output, depth: calls % 8});
					const [event] = await context.events();
					assert.ok(event, `the program at the ${point} runs ${step} one at the ${otherPoint}`);
					checkPlace(event, result);
					const seen = point === 'entry' ? event.regs : event.entry;
					const what = `those of the entry, at the ${point}, ${step} one at the ${otherPoint}`;
					sameRegisters(context, what, {expected: result.in, seen});
				}
				for (const each of [before, probe, behind]) await each?.close();
			}
		},
	}),
	defineCase({
		id: 'multi/entry-and-return',
		needs: ['entry', 'return', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const unprobed = await context.call(call);
			const entry = await context.attach({point: 'entry'});
			const ret = await context.attach({point: 'return'});
			const result = await context.call(call);
			const events = await context.events();
			assert.deepEqual(
				events.map(({cookie}) => Number(cookie)),
				[entry.cookie, ret.cookie],
				'cookies of the runs: entry, then return',
			);
			sameRegisters(context, 'at entry', {expected: result.in, seen: events[0]!.regs});
			sameRegisters(context, 'at return', {expected: result.after, seen: events[1]!.regs, by: 'the caller'});
			if (context.claims('arguments-at-return'))
				sameRegisters(context, 'entry registers seen by the return program', {
					expected: events[0]!.regs,
					seen: events[1]!.entry,
					names: [...generalRegisters, 'flags', 'sp'],
				});
			sameForCaller(context, result, {unprobed});
		},
	}),
	defineCase({
		id: 'multi/sixty-four-on-one-function',
		needs: ['registers'],
		targets: everywhere,
		deadlineMs: 30_000,
		async run(context) {
			const unprobed = await context.call(call);
			const probes = await attachInTurn(context, 64);
			const result = await context.call(call);
			sameForCaller(context, result, {unprobed});
			const events = await context.events();
			assert.deepEqual(
				events.map(({cookie}) => Number(cookie)).toSorted((a, b) => a - b),
				probes.map(({cookie}) => cookie),
				'cookies of the runs',
			);
			for (const event of events) {
				const isEntry = probes[Number(event.cookie) - 1]!.point === 'entry';
				sameRegisters(context, isEntry ? 'at entry' : 'at return', {
					...(isEntry ? {expected: result.in} : {expected: result.after, by: 'the caller'}),
					seen: event.regs,
				});
			}
			for (const probe of probes) onlyHits(await probe.info(), 1);
		},
	}),
	defineCase({
		id: 'multi/order',
		needs: ['entry', 'return', 'order'],
		targets: everywhere,
		deadlineMs: 10_000,
		async run(context) {
			const points = ['entry', 'return', 'return', 'entry', 'entry', 'return'] as const;
			const probes: {point: Point; cookie: number}[] = [];
			for (const point of points) probes.push({point, cookie: (await context.attach({point})).cookie});
			await context.call(call);
			const cookies = (point: string) => probes.filter(probe => probe.point === point).map(({cookie}) => cookie);
			const seen = (await context.events()).map(({cookie}) => Number(cookie));
			assert.deepEqual(
				seen,
				[...cookies('entry'), ...cookies('return').toReversed()],
				'entry programs run in the order of attaching, return programs in reverse order',
			);
		},
	}),
	defineCase({
		id: 'multi/program-that-reads-nothing-beside',
		needs: ['entry', 'return', 'device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 10_000,
		async run(context) {
			for (const point of context.points) {
				const probe = await context.attach({point});
				// With other values each time: those of an earlier call must not be found.
				const check = async () => {
					for (const [before, ret] of [
						[input, output],
						[output, input],
					] as const) {
						await context.ask('reset', {});
						const result = await context.call({in: before, ret});
						const [event] = await context.events();
						sameRegisters(context, `at ${point}`, {
							...(point === 'entry' ? {expected: result.in} : {expected: result.after, by: 'the caller'}),
							seen: event!.regs,
						});
						checkPlace(event!, result);
					}
				};
				const first = await context.attach({point, program: 'empty'});
				await check();
				const second = await context.attach({point, program: 'empty'});
				await first.close();
				await check();
				await second.close();
				await probe.close();
			}
		},
	}),
	defineCase({
		id: 'multi/detach-one-keeps-others',
		needs: ['registers'],
		targets: everywhere,
		deadlineMs: 15_000,
		async run(context) {
			const points = Array.from({length: 6}, (_, n) => context.points[Math.floor((n * context.points.length) / 6)]!);
			for (const order of [
				[0, 1, 2, 3, 4, 5],
				[5, 4, 3, 2, 1, 0],
				[1, 4, 0, 5, 2, 3],
			]) {
				await context.ask('reset', {});
				const probes = [];
				for (const point of points) probes.push(await context.attach({point}));
				const open = new Set(probes.map(({cookie}) => cookie));
				for (const index of order) {
					await context.ask('reset', {});
					const result = await context.call(call);
					const events = await context.events();
					assert.deepEqual(new Set(events.map(({cookie}) => Number(cookie))), open, 'probes whose programs ran');
					for (const event of events) {
						const isEntry = points[(Number(event.cookie) - 1) % points.length] === 'entry';
						sameRegisters(context, 'with fewer probes', {
							...(isEntry ? {expected: result.in} : {expected: result.after, by: 'the caller'}),
							seen: event.regs,
						});
					}
					await probes[index]!.close();
					open.delete(probes[index]!.cookie);
				}
			}
		},
	}),
	defineCase({
		id: 'multi/cookie',
		needs: ['cookies'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const probes = await attachInTurn(context, 6);
			await context.call(call);
			const seen = (await context.events()).map(({cookie}) => Number(cookie));
			assert.deepEqual(
				seen.toSorted((a, b) => a - b),
				probes.map(({cookie}) => cookie),
				'cookies of the runs',
			);
			if (!context.claims('device')) return;
			const wide = 2 ** 52 + 1;
			const address = await context.address(targetSymbols[context.target]);
			const {probe} = await context.ask('attach', {
				prog: await context.load('record'),
				point: 'entry',
				address,
				cookie: wide,
			});
			await context.call(call);
			await context.ask('close', {probe});
			const cookies = (await context.events()).map(({cookie}) => Number(cookie));
			assert.ok(cookies.includes(wide), `the cookie ${wide} is among ${cookies.join(', ')}`);
		},
	}),
	defineCase({
		id: 'multi/same-program-twice',
		needs: ['cookies', 'shared-programs'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			for (const point of context.points) {
				const first = await context.attach({point, program: 'count'});
				const probes = [first, await context.attach({point, program: 'count', sharing: first})];
				for (let n = 0; n < 3; n++) await context.call(call);
				for (const probe of probes) {
					onlyHits(await probe.info(), 3);
					assert.equal(
						(await context.ask('counters', {cookie: probe.cookie})).count,
						3,
						'the cookie tells the two apart',
					);
				}
			}
		},
	}),
	defineCase({
		id: 'multi/one-program-two-functions',
		needs: ['cookies', 'shared-programs', 'modules'],
		deadlineMs: 10_000,
		async run(context) {
			const assembly = context.has('without-fentry') ? 'asm' : 'asm-fentry';
			const functions = [await context.address(targetSymbols[assembly]), await context.address('fx_c')];
			const probes: Probe[] = [];
			for (const at of functions)
				for (const point of context.points)
					probes.push(await context.attach({point, at, ...(probes[0] && {sharing: probes[0]})}));
			await context.call({...call, target: assembly});
			await context.call({...call, target: 'c'});
			const events = await context.events();
			assert.deepEqual(
				events.map(({cookie}) => Number(cookie)),
				probes.map(({cookie}) => cookie),
				'cookies of the runs',
			);
			if (context.claims('device'))
				assert.deepEqual(
					events.map(({regs}) => regs.ip),
					probes.map((_, n) => functions[n >> 1]),
					'functions in which the programs ran',
				);
		},
	}),
	defineCase({
		id: 'multi/session',
		needs: ['session'],
		targets: ['asm-fentry', 'c', 'vmlinux'],
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry', program: 'session'});
			const results = [];
			for (let n = 0; n < 6; n++) results.push(await context.call({...call, in: {...input, di: hex(n)}}));
			await probe.close();
			await context.call(call);
			const events = await context.events();
			assert.deepEqual(
				events.map(({entry}) => Number(entry.di)),
				[0, 0, 1, 2, 2, 3, 4, 4, 5],
				'at each entry, and at the returns of even calls, with what the entry has left',
			);
			for (const [n, {regs, entry}] of events.entries()) {
				if (n % 3 === 1) assert.equal(regs.ax, results[Number(entry.di)]!.after.ax, 'the return value');
				else assert.equal(regs.di, entry.di, 'the argument');
			}
		},
	}),
	defineCase({
		id: 'multi/nested-all-probed',
		needs: ['entry', 'return', 'place'],
		targets: everywhere,
		deadlineMs: 20_000,
		async run(context) {
			const names = Array.from({length: 8}, (_, n) => `fx_chain_${8 - n}`);
			const functions: Hex[] = [];
			for (const name of names) functions.push(await context.address(name));
			for (const at of functions) for (const point of ['entry', 'return'] as const) await context.attach({point, at});
			for (const point of ['entry', 'return'] as const) await context.attach({point});
			const result = await context.call({...call, depth: 8});
			const chain = [...functions, result.function];
			const events = await context.events();
			assert.deepEqual(
				events.map(({regs}) => regs.ip),
				[...chain, ...chain.toReversed()],
				'functions in which the programs ran: in, then out',
			);
			for (const event of events) assert.equal(event.slot, event.caller, 'the word at sp is the real return address');
			assert.equal(result.after.sp, result.sp, 'the stack pointer after the call');
		},
	}),
	defineCase({
		id: 'multi/two-hundred-functions',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 60_000,
		async run(context) {
			const names = Array.from({length: 200}, (_, n) => `fx_many_${String(n).padStart(3, '0')}`);
			const {addresses} = await context.ask('symbols', {names});
			const probes = [];
			for (const [n, name] of names.entries()) {
				probes.push(await context.attach({point: n % 2 === 0 ? 'entry' : 'return', at: addresses[name]![0]!}));
			}
			for (const [n, name] of names.entries()) {
				const result = await context.call({
					target: 'address',
					address: addresses[name]![0]!,
					in: {...input, di: hex(1000)},
				});
				assert.equal(result.after.ax, hex(1000 + n), name);
			}
			const events = await context.events();
			assert.deepEqual(
				events.map(({regs, cookie}) => `${regs.ip} ${Number(cookie)}`),
				names.map((name, n) => `${addresses[name]![0]} ${n + 1}`),
				'functions and cookies of the runs',
			);
			const {text} = await context.ask('listing', {});
			assert.equal(text.split('\n').filter(line => line.includes('fx_many_')).length, 200, 'lines of the listing');
		},
	}),
];
