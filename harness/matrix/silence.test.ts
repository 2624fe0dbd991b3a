import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {Ask, ExecResult} from './case.ts';
import {listen} from './silence.ts';

const never = () => new Promise<never>(() => {});
const fine: ExecResult = {code: 0, stdout: '', stderr: ''};
/** A request is late after 160 ms, a command after 40. */
const slowness = 0.02;

async function listened({ask, exec}: {ask: () => Promise<unknown>; exec: () => Promise<ExecResult>}, ms: number) {
	const commands: string[] = [];
	const errors: string[] = [];
	using listening = listen(
		{
			ask: ask as Ask,
			exec(command) {
				commands.push(command);
				return exec();
			},
		},
		{slowness, onSilent: ({message}) => errors.push(message)},
	);
	void listening.ask('release', {});
	await sleep(ms);
	return {commands: commands.length, errors};
}

test('a guest that leaves a request unanswered and lets no command in is silent', async t => {
	const {errors} = await listened({ask: never, exec: never}, 700);
	t.regex(errors[0] ?? 'none', /^No answer for 0\.\d s\.$/);
});

test('so is one whose connection is refused', async t => {
	const {errors} = await listened({ask: never, exec: () => Promise.reject(new Error('refused'))}, 700);
	t.true(errors.length > 0);
});

test('a request that takes long is no silence while commands get in, and they are few', async t => {
	const {errors, commands} = await listened({ask: never, exec: async () => fine}, 1000);
	t.deepEqual(errors, []);
	t.true(commands >= 2 && commands <= 7, `${commands} commands`);
});

test('a guest that answers is not asked anything else', async t => {
	const {errors, commands} = await listened({ask: () => sleep(50), exec: never}, 700);
	t.deepEqual({errors, commands}, {errors: [], commands: 0});
});
