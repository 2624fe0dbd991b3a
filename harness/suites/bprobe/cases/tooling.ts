// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {shell, startBprobectl} from './bprobectl.ts';
import {hex, onlyHits, pattern} from './registers.ts';
import {tidily} from './tidily.ts';

const call = {in: pattern(1), ret: pattern(2)} as const;
const pinned = '/sys/fs/bpf/matrix';

/** The bytes of one eBPF instruction: opcode, registers, offset, immediate. */
function instruction(opcode: number, {dst = 0, src = 0, offset = 0, imm = 0} = {}): string {
	const bytes = Buffer.alloc(8);
	bytes.writeUInt8(opcode, 0);
	bytes.writeUInt8((src << 4) | dst, 1);
	bytes.writeInt16LE(offset, 2);
	bytes.writeInt32LE(imm, 4);
	return bytes.toString('hex');
}

export const toolingCases = [
	defineCase({
		id: 'tooling/bpftool-pinned-program',
		needs: ['library'],
		deadlineMs: 20_000,
		async run(context) {
			await shell(context, `bpftool prog load /lib/probe-matrix/programs/count.bpf.o ${pinned} type kprobe`);
			await tidily(
				async () => {
					const shown = await shell(context, `bpftool prog show pinned ${pinned}`);
					const bprobectl = await startBprobectl(context, `attach fx_c --pinned ${pinned}`);
					for (let n = 0; n < 3; n++) await context.call({...call, target: 'c'});
					const {text} = await context.ask('listing', {});
					assert.match(
						text,
						new RegExp(`^entry +[0-9a-f]+ ${shown.split(':')[0]} ftrace 3 0 `, 'm'),
						`listed with the id that bpftool shows: ${shown}`,
					);
					await bprobectl.interrupt();
					assert.match(await bprobectl.output(), /3 hits/, 'what bprobectl says at its end');
				},
				async () => {
					await shell(context, `rm ${pinned}`);
				},
			);
		},
	}),
	defineCase({
		id: 'tooling/library-fds',
		needs: ['library'],
		deadlineMs: 20_000,
		async run(context) {
			for (const how of ['dup', 'fork', 'socket'] as const) {
				for (const first of ['original', 'copy'] as const) {
					await context.ask('reset', {});
					const probe = await context.attach({point: 'entry', program: 'count'});
					const {copy, task} = await context.ask('probeFds', {probe: probe.handle, how});
					const closeCopy = async () => {
						if (copy !== undefined) await context.ask('close', {probe: copy});
						if (task === undefined) return;
						await context.ask('taskKill', {task, signal: 'KILL'});
						await context.ask('taskWait', {task, timeoutMs: 3000});
					};
					const count = async () => (await context.ask('counters', {cookie: probe.cookie})).count;
					await context.call(call);
					assert.equal(await count(), 1, `${how}: attached once, not twice`);
					await (first === 'original' ? probe.close() : closeCopy());
					await context.call(call);
					assert.equal(await count(), 2, `${how}: one copy is left`);
					await (first === 'original' ? closeCopy() : probe.close());
					await context.call(call);
					assert.equal(await count(), 2, `${how}: no copy is left`);
				}
			}
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-list',
		needs: ['library'],
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return', at: await context.address('fx_c')});
			for (let n = 0; n < 2; n++) await context.call({...call, target: 'c'});
			const {progId} = await context.ask('info', {probe: probe.handle});
			const line = (await shell(context, 'bprobectl list')).split('\n').find(each => each.includes('fx_c'));
			assert.ok(line, 'bprobectl list names the function');
			const [point, , program, hook, hits, misses] = line.split(/\s+/);
			assert.deepEqual(
				{point, program, hook, hits, misses},
				{point: 'return', program: `${progId}`, hook: 'ftrace', hits: '2', misses: '0'},
				'the words of the line',
			);
			assert.match(
				await shell(context, 'bprobectl --help'),
				/list[\s\S]*trace[\s\S]*attach/,
				'what bprobectl --help says',
			);
			const wrong = await context.exec('bprobectl lits');
			assert.notEqual(wrong.code, 0, 'the exit status for a wrong command line');
			assert.match(wrong.stderr, /lits/, 'the error names the misspelt command');
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-trace',
		needs: ['library'],
		deadlineMs: 20_000,
		async run(context) {
			for (const [option, word] of [
				['', '0x2a'],
				['--return', '0x1234'],
			] as const) {
				const bprobectl = await startBprobectl(context, `trace fx_c ${option} --count 3`);
				for (let n = 0; n < 3; n++) await context.call({target: 'c', in: {di: '0x2a'}, ret: {ax: '0x1234'}});
				const lines = (await bprobectl.output()).split('\n').filter(line => line.includes('agent'));
				assert.equal(lines.length, 3, `a line for each call: ${lines.join('\n')}`);
				for (const line of lines) assert.ok(line.includes(word), `${word} in: ${line}`);
			}
			const few = await startBprobectl(context, 'trace fx_c --count 3');
			const job = await context.start('startLoop', {target: 'c', context: 'task', calls: 500, seed: '0x1'});
			const printed = (await few.output()).split('\n').filter(line => line.includes('agent'));
			await job.stop();
			assert.equal(printed.length, 3, 'lines for 500 calls that come faster than they are printed');
			// A thread of the agent makes these calls.
			const {pid} = await context.ask('hello', {});
			for (const line of printed) assert.ok(line.includes(`  pid ${pid}  `), `the process ${pid} in: ${line}`);
			const unknown = await context.exec('bprobectl trace no_such_function');
			assert.notEqual(unknown.code, 0, 'the exit status for an unknown function');
			assert.match(unknown.stderr, /no_such_function/, 'what is said of an unknown function');
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-pattern',
		needs: ['library'],
		deadlineMs: 30_000,
		async run(context) {
			const names = ['fx_many_010', 'fx_many_011', 'fx_many_019'];
			const callAll = async () => {
				for (const name of names)
					await context.call({
						target: 'address',
						address: await context.address(name),
						in: {...call.in, di: hex(1000)},
					});
			};
			const tracing = await startBprobectl(context, `trace 'fx_many_01[0-9]' --return --count 3`);
			await callAll();
			const traced = await tracing.output();
			assert.deepEqual(
				[...traced.matchAll(/agent {2}(\S+ \[fixtures\])\(0x3e8, .*\) = (0x\w+)$/gm)].map(
					([, name, ax]) => `${name} ${ax}`,
				),
				['fx_many_010 [fixtures] 0x3f2', 'fx_many_011 [fixtures] 0x3f3', 'fx_many_019 [fixtures] 0x3fb'],
				traced,
			);
			assert.match(traced, /^return of 10 functions: 3 hits\.$/m, 'hits of ten functions');
			await shell(context, `bpftool prog load /lib/probe-matrix/programs/count.bpf.o ${pinned} type kprobe`);
			await tidily(
				async () => {
					const attached = await startBprobectl(context, `attach --match 'fx_many_01?' --pinned ${pinned}`);
					await callAll();
					await attached.interrupt();
					const said = await attached.output();
					for (const name of names)
						assert.match(said, new RegExp(`^entry of ${name} \\[fixtures\\]: 1 hits\\.$`, 'm'), `hits of ${name}`);
					assert.match(said, /^entry of 10 functions: 3 hits\.$/m, 'hits of ten functions');
				},
				async () => {
					await shell(context, `rm ${pinned}`);
				},
			);
			const aliased = await startBprobectl(context, `trace 'fx_bare*' --count 1`);
			await context.call({target: 'address', address: await context.address('fx_bare')});
			assert.match(await aliased.output(), /agent {2}fx_bare \[fixtures\]\(/, 'the name of a function that has two');
			const missing = await startBprobectl(context, `trace 'fx_plain_0[01]'`);
			await context.ask('nest', {on: true});
			await tidily(
				async () => {
					// A kprobe calls the first of the two, so that no probe of it can run.
					for (let n = 0; n < 2; n++)
						await context.call({target: 'address', address: await context.address('fx_bare')});
				},
				() => context.ask('nest', {on: false}),
			);
			await missing.interrupt();
			assert.match(
				await missing.output(),
				/^entry of 2 functions: 0 hits, 2 missed \(kprobe\)\.$/m,
				'misses of two functions',
			);
			const {addresses} = await context.ask('match', {pattern: 'fx_bare*'});
			assert.deepEqual(addresses, [await context.address('fx_bare')], 'a function that has two names');
			const few = await context.ask('match', {pattern: 'fx_many_01*', max: 4});
			assert.equal(few.addresses.length, 4, 'functions where four were asked for');
			for (const words of [
				`trace 'no_such_*'`,
				`attach --match 'no_such_*' --program /lib/probe-matrix/programs/count.bpf.o`,
			]) {
				const {code, stderr} = await context.exec(`bprobectl ${words}`);
				assert.equal(code, 1, 'the exit status when no function matches');
				assert.match(
					stderr,
					/No function that can be probed matches no_such_\*/,
					'what is said when no function matches',
				);
			}
			const both = await context.exec(`bprobectl attach fx_c --match 'fx_*' --pinned ${pinned}`);
			assert.equal(both.code, 2, 'the exit status for a wrong command line');
		},
	}),
	defineCase({
		id: 'tooling/program-lifetime',
		needs: ['library'],
		deadlineMs: 15_000,
		async run(context) {
			for (const point of ['entry', 'return'] as const) {
				const {prog, progId} = await context.ask('load', {
					instructions: `${instruction(0xb7)}${instruction(0x95)}`,
					license: 'GPL',
					type: 'kprobe',
				});
				const probe = await context.attach({point, program: prog});
				await context.ask('unload', {prog});
				assert.equal((await context.ask('progExists', {progId})).exists, true, 'the probe keeps its program loaded');
				await context.call(call);
				onlyHits(await probe.info(), 1);
				await probe.close();
				// The kernel frees programs after a grace period.
				while ((await context.ask('progExists', {progId})).exists) context.signal.throwIfAborted();
			}
		},
	}),
	defineCase({
		id: 'tooling/clang-object-and-hand-assembled',
		needs: ['library'],
		deadlineMs: 10_000,
		async run(context) {
			const compiled = await context.attach({point: 'entry', program: 'count'});
			// r6 = ctx; r0 = *(u64 *)(r6 + 112), rdi of struct pt_regs; exit
			const instructions = [
				instruction(0xbf, {dst: 6, src: 1}),
				instruction(0x79, {dst: 0, src: 6, offset: 112}),
				instruction(0x95),
			].join('');
			const {prog} = await context.ask('load', {instructions, license: 'GPL', type: 'kprobe'});
			const assembled = await context.attach({point: 'entry', program: prog});
			for (let n = 0; n < 4; n++) await context.call({...call, in: {...call.in, di: hex(n)}});
			onlyHits(await compiled.info(), 4);
			onlyHits(await assembled.info(), 4);
			assert.equal((await context.ask('counters', {cookie: compiled.cookie})).count, 4, 'runs of the program');
			await assembled.close();
			await context.ask('unload', {prog});
		},
	}),
];
