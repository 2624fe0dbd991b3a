// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {isBefore, withoutBtf} from '../kernel-release.ts';
import {shell, startBprobectl} from './bprobectl.ts';
import {hex} from './registers.ts';
import {allowCpus} from './tasks.ts';
import {tidily} from './tidily.ts';

const programs = '/lib/probe-matrix/programs';
const pinned = '/sys/fs/bpf/matrix-maps';

async function callWith(context: CaseContext, values: readonly bigint[]): Promise<void> {
	for (const value of values) await context.call({target: 'c', in: {di: hex(value)}, ret: {ax: hex(value + 1n)}});
}

/** bprobectl must refuse with this sentence. */
async function refused(context: CaseContext, words: string, sentence: RegExp, exitCode = 1): Promise<void> {
	// One that is not refused would stay.
	const {code, stderr} = await context.exec(`timeout 10 bprobectl attach ${words}`);
	assert.equal(code, exitCode, `${words}: ${stderr}`);
	assert.match(stderr, sentence, `what bprobectl attach ${words} says`);
}

export const objectCases = [
	defineCase({
		id: 'tooling/bprobectl-sections',
		needs: ['library'],
		deadlineMs: 30_000,
		async run(context) {
			const object = `${programs}/latency.bpf.o`;
			const {pid} = await context.call({target: 'c'});
			const bprobectl = await startBprobectl(context, `attach --program ${object} --type call --pin ${pinned} --dump`);
			await tidily(
				async () => {
					// The last CPU, whose value in maps is not the first.
					await allowCpus(context, 2);
					// A member that is 0 is shown like any other.
					await callWith(context, [0n, 20n, 30n]);
					const maps = (await shell(context, `ls ${pinned}`)).split('\n');
					assert.ok(maps.includes('durations'), `pinned maps: ${maps.join(' ')}`);
					// Records are written as they come, also into a file.
					let records = 0;
					for (let n = 0; n < 100 && records < 3; n++)
						records = (await bprobectl.soFar()).match(/^calls: /gm)?.length ?? 0;
					assert.equal(records, 3, 'records that are written while it runs');
					await bprobectl.interrupt();
					const said = await bprobectl.output();
					for (const value of [0, 20, 30]) {
						const fields = [`argument = (__u64)${value}`, `result = (__u64)${value + 1}`, `pid = (__u32)${pid}`];
						const line = said.split('\n').find(each => each.startsWith('calls: ') && each.includes(fields[0]!));
						for (const field of fields) assert.ok(line?.includes(field), `${field} in: ${said}`);
					}
					assert.match(said, /^entry of fx_c \[fixtures\]: 3 hits\.$/m, 'hits at the entry');
					assert.match(said, /^return of fx_c \[fixtures\]: 3 hits\.$/m, 'hits at the return');
					// The programs removed each entry again.
					assert.match(said, /^map begun\nmap callers\n/m, 'the maps that are printed');
					const counts = /^map durations\n((?: {2}.*\n)*)/m.exec(said)![1]!;
					const total = [...counts.matchAll(/cpu \d+: \(__u64\)(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
					assert.equal(total, 3, counts);
					assert.match(said, /^map ended\n {2}\(__u32\)0: cpu 1: \(__u32\)3$/m, 'values of less than eight bytes');
					const process = new RegExp(String.raw`^map processes\n {2}\(__u32\)${pid}: cpu 1: \(__u32\)3$`, 'm');
					assert.match(said, process, 'calls by process');
					const answer = new RegExp(String.raw`^map answers\n {2}\(__u32\)${pid}: \(__u64\)31$`, 'm');
					assert.match(said, answer, 'the last answer of each process');
					assert.match(said, /^map names\n {2}.*'a','g','e','n','t'.*: cpu 1: \(__u32\)3$/m, 'calls by name');
					assert.match(
						said,
						/^map callers\n {2}stack \d+:\n(?: {4}.*\n)*? {4}fx_ioctl_call\+0x/m,
						'the stacks of the callers',
					);
				},
				async () => {
					await allowCpus(context, 3);
					await shell(context, `rm -r ${pinned}`);
				},
			);
			const one = await startBprobectl(context, `attach --program ${object} --name kprobe/fx_c`);
			await callWith(context, [1n]);
			await one.interrupt();
			const said = await one.output();
			assert.match(said, /^entry of fx_c \[fixtures\]: 1 hits\.$/m, 'hits of the program that was chosen');
			assert.doesNotMatch(said, /return of/, 'programs that were not chosen');
			await refused(context, `--program ${object} --name nothing`, /holds no program or section nothing/);
			await refused(context, `--program ${object} --type nothing`, /The object has no struct nothing/);
			// The function of the command line replaces that of the sections, not their points.
			const elsewhere = await startBprobectl(context, `attach fx_many_010 --program ${object}`);
			await callWith(context, [1n]);
			await elsewhere.interrupt();
			assert.match(
				await elsewhere.output(),
				/^entry of fx_many_010 .*0 hits\.\nreturn of fx_many_010 .*0 hits\.$/m,
				'hits at the function of the command line',
			);
			await refused(context, `--program ${programs}/count.bpf.o`, /names no function; give one/);
			await refused(context, `--program ${object} --return`, /--return needs a function/, 2);
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-many-programs',
		needs: ['library'],
		deadlineMs: 30_000,
		async run(context) {
			const program = `--program ${programs}/sixty_five.bpf.o`;
			await refused(context, program, /bprobectl attaches at most 64 programs/);
			const all = await startBprobectl(context, `attach ${program} --name 'program_[0-7]*'`);
			await callWith(context, [1n]);
			await all.interrupt();
			const said = await all.output();
			assert.equal(said.match(/^entry of fx_c \[fixtures\]: 1 hits\.$/gm)?.length, 64, said);
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-constants',
		needs: ['library'],
		missing: kernel => (isBefore(kernel, 5, 8) ? 'Linux has ring buffers for programs since 5.8.' : withoutBtf(kernel)),
		deadlineMs: 30_000,
		async run(context) {
			const object = `${programs}/constants.bpf.o`;
			const {pid} = await context.call({target: 'c'});
			const constants = '--set least=-5 --set most=2147483647 --set label=matrix --set counts=true';
			const bprobectl = await startBprobectl(
				context,
				`attach --program ${object} --name above ${constants} --type seen --dump`,
			);
			await callWith(context, [-6n, -5n, 7n]);
			await bprobectl.interrupt();
			const said = await bprobectl.output();
			const seen = said.split('\n').filter(line => line.startsWith('output: '));
			assert.equal(seen.length, 2, said);
			for (const [index, value] of [-5, 7].entries()) {
				for (const field of [
					`argument = (__s64)${value}`,
					`tgid = (int)${pid}`,
					`label = (char[8])['m','a','t','r','i','x',]`,
				])
					assert.ok(seen[index]!.includes(field), `${field} in: ${seen[index]}`);
			}
			assert.match(said, /below = \(__u64\)1/, 'a global variable');
			// Nothing is left of a longer text.
			const shorter = await startBprobectl(
				context,
				`attach --program ${object} --name above --set counts=true --set label=a --type seen`,
			);
			await callWith(context, [1n]);
			await shorter.interrupt();
			assert.match(await shorter.output(), /label = \(char\[8\]\)\['a',\]/, 'a text that is shorter than before');
			const from = `--program ${object} --name above`;
			await refused(
				context,
				`--program ${object}`,
				/The program other is for fentry\/fx_c, not for kprobe or kretprobe/,
			);
			await refused(context, `fx_c --program ${object} --name other`, /is for fentry\/fx_c, not of the kind kprobe/);
			await refused(
				context,
				`--program ${object} --name several`,
				/The program several is for kprobe\.multi\/fx_c, not for kprobe or kretprobe/,
			);
			await refused(context, `${from} --set least`, /--set takes NAME=VALUE/);
			await refused(context, `${from} --set lest=1`, /The object has no constant lest/);
			for (const wrong of [
				'least=x',
				'least=1x',
				'least=',
				'least=9223372036854775808',
				'least=-9223372036854775809',
				'most=2147483648',
				'most=-2147483649',
				'counts=256',
				'counts=-1',
				'label=12345678',
			])
				await refused(context, `${from} --set ${wrong}`, /The constant \w+ cannot be/);
			for (const option of ['--name first', '--set least=1', '--pin /sys/fs/bpf/maps', '--type call', '--dump'])
				await refused(context, `fx_c --pinned ${pinned} ${option}`, /are for --program/, 2);
		},
	}),
	...(
		[
			['attach', `--program ${programs}/latency.bpf.o --type call`, 'return', /^calls: /gm],
			['trace', 'fx_c', 'entry', / agent {2}fx_c/gm],
		] as const
	).map(([command, words, point, line]) =>
		defineCase({
			id: `tooling/bprobectl-${command}-loses`,
			needs: ['library'],
			deadlineMs: 40_000,
			async run(context) {
				await allowCpus(context, 1);
				await tidily(
					async () => {
						const bprobectl = await startBprobectl(context, `${command} ${words}`);
						// Twice, because what was lost is told in parts.
						for (let round = 0; round < 2; round++) {
							await bprobectl.signal('STOP');
							const ended = async () => (await context.ask('counts', {})).ended.c;
							const before = await ended();
							const loop = {target: 'c', context: 'task', calls: 20_000, seed: '0x1'} as const;
							const job = await context.start('startLoop', loop);
							while ((await ended()) < before + 20_000) context.signal.throwIfAborted();
							await job.stop();
							await bprobectl.signal('CONT');
							// The kernel tells with the next record how many were lost before it.
							const marker = 0x12a + 0x100 * round;
							const printed = `\\(0x${marker.toString(16)},|\\(__u64\\)${marker},`;
							const isPrinted = async () => (await context.exec(`grep -qE '${printed}' /tmp/bprobectl.out`)).code === 0;
							while (!(await isPrinted())) {
								context.signal.throwIfAborted();
								await callWith(context, [BigInt(marker)]);
							}
						}
						await bprobectl.signal('TERM');
						const said = await bprobectl.output();
						const hits = Number(
							new RegExp(String.raw`^${point} of fx_c \[fixtures\]: (\d+) hits\.$`, 'm').exec(said)?.[1],
						);
						const lost = Number(/^(\d+) (?:records|events) were lost: /m.exec(said)?.[1]);
						const printed = said.match(line)?.length ?? 0;
						assert.ok(hits > 40_000 && lost > 0, `hits ${hits}, lost ${lost}: ${said.slice(-2000)}`);
						assert.equal(printed + lost, hits, `${printed} printed and ${lost} lost of the hits`);
					},
					() => allowCpus(context, 3),
				);
			},
		}),
	),
];
