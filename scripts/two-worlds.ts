// SPDX-License-Identifier: GPL-2.0
/**
 * Runs two checkouts with different modules at once, with one cache: each must get its own verdicts. Exits with 1 if
 * one does not: `two-worlds.ts [rounds] [kernel]`.
 */
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {CheckoutCopy} from './checkout-copy.ts';

const rounds = Number(process.argv[2] ?? 3);
const kernel = process.argv[3] ?? fallbackKernel;
const args = ['run', '--kernel', kernel, '--match', 'entry/sp-and-ip[asm]', '--match', 'entry/flags[asm]'];

await using good = await CheckoutCopy.create();
await using bad = await CheckoutCopy.create();
// The function address that programs see is off by one.
await bad.replace('kmod/handler.h', 'to->ip = address;', 'to->ip = address + 1;');
let problems = 0;
for (let round = 1; round <= rounds; round++) {
	// Force a new build, push and snapshot of both.
	for (const copy of [good, bad]) await copy.append('kmod/entry.c', `\nint bp_round_${round}_${process.pid}(void);\n`);
	const [one, other] = await Promise.all([good.run(...args), bad.run(...args)]);
	const verdicts = [one, other].map(({lines}) =>
		lines.filter(line => /^\d\/2 /.test(line)).map(line => line.split(/\s+/)[1]),
	);
	const isRight = one.exitCode === 0 && other.exitCode === 1 && verdicts[1]!.includes('fail');
	if (!isRight) {
		problems++;
		process.stderr.write(`${[...one.lines, ...other.lines].join('\n')}\n`);
	}
	process.stdout.write(`round ${round}: ${verdicts.map(of => of.join(' ')).join(' | ')}${isRight ? '' : '  WRONG'}\n`);
}
process.stdout.write(`${rounds} rounds, ${problems} problems\n`);
process.exitCode = problems > 0 ? 1 : 0;
