// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {type CaseContext, defineCase} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {shell, startBprobectl} from './bprobectl.ts';
import {hex} from './registers.ts';

const programs = '/lib/probe-matrix/programs';
const pinned = '/sys/fs/bpf/matrix-maps';

async function callWith(context: CaseContext, values: readonly bigint[]): Promise<void> {
	for (const value of values) await context.call({target: 'c', in: {di: hex(value)}, ret: {ax: hex(value + 1n)}});
}

/** bprobectl must refuse with this sentence. */
async function refused(context: CaseContext, words: string, sentence: RegExp, exitCode = 1): Promise<void> {
	const {code, stderr} = await context.exec(`bprobectl attach ${words}`);
	assert.equal(code, exitCode, `${words}: ${stderr}`);
	assert.match(stderr, sentence);
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
			try {
				await callWith(context, [10n, 20n, 30n]);
				const maps = (await shell(context, `ls ${pinned}`)).split('\n');
				assert.ok(maps.includes('durations'), `pinned maps: ${maps.join(' ')}`);
				await bprobectl.interrupt();
				const said = await bprobectl.output();
				for (const value of [10, 20, 30]) {
					const fields = [`argument = (__u64)${value}`, `result = (__u64)${value + 1}`, `pid = (__u32)${pid}`];
					const line = said.split('\n').find(each => each.startsWith('calls: ') && each.includes(fields[0]!));
					for (const field of fields) assert.ok(line?.includes(field), `${field} in: ${said}`);
				}
				assert.match(said, /^entry of fx_c \[fixtures\]: 3 hits\.$/m);
				assert.match(said, /^return of fx_c \[fixtures\]: 3 hits\.$/m);
				// The programs removed each entry again.
				assert.match(said, /^map begun\nmap callers\n/m);
				const counts = /^map durations\n((?: {2}.*\n)*)/m.exec(said)![1]!;
				const total = [...counts.matchAll(/cpu \d+: \(__u64\)(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
				assert.equal(total, 3, counts);
				assert.match(said, /^map callers\n {2}stack \d+:\n(?: {4}.*\n)*? {4}fx_ioctl_call\+0x/m);
			} finally {
				await shell(context, `rm -r ${pinned}`);
			}
			const one = await startBprobectl(context, `attach --program ${object} --name kprobe/fx_c`);
			await callWith(context, [1n]);
			await one.interrupt();
			const said = await one.output();
			assert.match(said, /^entry of fx_c \[fixtures\]: 1 hits\.$/m);
			assert.doesNotMatch(said, /return of/);
			await refused(context, `--program ${object} --name nothing`, /holds no program or section nothing/);
			await refused(context, `--program ${object} --type nothing`, /The object has no struct nothing/);
			// The function of the command line replaces that of the sections, not their points.
			const elsewhere = await startBprobectl(context, `attach fx_many_010 --program ${object}`);
			await callWith(context, [1n]);
			await elsewhere.interrupt();
			assert.match(await elsewhere.output(), /^entry of fx_many_010 .*0 hits\.\nreturn of fx_many_010 .*0 hits\.$/m);
			await refused(context, `--program ${programs}/count.bpf.o`, /names no function; give one/);
			await refused(context, `--program ${object} --return`, /--return needs a function/, 2);
		},
	}),
	defineCase({
		id: 'tooling/bprobectl-constants',
		needs: ['library'],
		deadlineMs: 30_000,
		async run(context) {
			if (isBefore(context, 5, 8)) context.skip('Linux has ring buffers for programs since 5.8.');
			const object = `${programs}/constants.bpf.o`;
			const {pid} = await context.call({target: 'c'});
			const constants = '--set least=-5 --set label=matrix --set counts=true';
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
			const from = `--program ${object} --name above`;
			await refused(
				context,
				`--program ${object}`,
				/The program other is for fentry\/fx_c, not for kprobe or kretprobe/,
			);
			await refused(context, `fx_c --program ${object} --name other`, /is for fentry\/fx_c, not of the kind kprobe/);
			await refused(context, `${from} --set least`, /--set takes NAME=VALUE/);
			await refused(context, `${from} --set lest=1`, /The object has no constant lest/);
			for (const wrong of [
				'least=x',
				'least=1x',
				'least=',
				'least=9223372036854775808',
				'counts=256',
				'counts=-1',
				'label=12345678',
			])
				await refused(context, `${from} --set ${wrong}`, /The constant \w+ cannot be/);
			await refused(context, `fx_c --pinned ${pinned} --set least=1`, /are for --program/, 2);
		},
	}),
];
