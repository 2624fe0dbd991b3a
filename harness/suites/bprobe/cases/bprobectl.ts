// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';

/** The output of a command in the guest, which must succeed. */
export async function shell(context: CaseContext, command: string): Promise<string> {
	const {code, stdout, stderr} = await context.exec(command);
	assert.equal(code, 0, `${command}: ${stderr || stdout}`);
	return stdout;
}

/** Starts bprobectl in the background in the guest and waits until it has attached. */
export async function startBprobectl(
	context: CaseContext,
	words: string,
): Promise<{
	signal(name: string): Promise<void>;
	interrupt(): Promise<void>;
	soFar(): Promise<string>;
	output(): Promise<string>;
}> {
	const before = (await context.ask('mark', {text: 'bprobectl'})).left.join();
	const {stdout} = await context.exec(`bprobectl ${words} >/tmp/bprobectl.out 2>&1 </dev/null & echo $!`);
	const pid = stdout.trim();
	// The list of what is left shows the first probe; `attach` says when all are there.
	const isAttached = async () =>
		words.startsWith('attach')
			? (await context.exec('grep -q "^Ctrl-C ends it" /tmp/bprobectl.out')).code === 0
			: (await context.ask('mark', {text: 'bprobectl'})).left.join() !== before;
	while (!(await isAttached())) {
		context.signal.throwIfAborted();
		const {code} = await context.exec(`kill -0 ${pid}`);
		if (code !== 0) assert.fail(await shell(context, 'cat /tmp/bprobectl.out'));
	}
	const signal = async (name: string) => void (await shell(context, `kill -${name} ${pid}`));
	return {
		signal,
		interrupt: () => signal('INT'),
		/** What it has written until now, while it runs. */
		soFar: () => shell(context, 'cat /tmp/bprobectl.out'),
		/** Waits for its exit and resolves with its output. */
		async output() {
			await context.exec(`while kill -0 ${pid} 2>/dev/null; do sleep 0.05; done`);
			return shell(context, 'cat /tmp/bprobectl.out');
		},
	};
}
