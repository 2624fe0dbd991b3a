// SPDX-License-Identifier: GPL-2.0
import {createInterface} from 'node:readline';
import {PassThrough} from 'node:stream';
import test, {type ExecutionContext} from 'ava';
import {AgentError, LinkLostError} from '../host/errors.ts';
import {Agent} from './agent.ts';

type Request = {id: number; op: string};

function world(answer: (request: Request, output: PassThrough) => void): {agent: Agent; output: PassThrough} {
	const input = new PassThrough();
	const output = new PassThrough();
	createInterface(input).on('line', line => answer(JSON.parse(line) as Request, output));
	return {agent: new Agent(output, input), output};
}

const ok = ({id}: Request, value: unknown) => `${JSON.stringify({id, ok: value})}\n`;

test('answers are matched to requests in any order and in pieces', async t => {
	const held: Request[] = [];
	const {agent} = world((request, output) => {
		held.push(request);
		if (held.length < 2) return;
		const text = held
			.toReversed()
			.map(one => ok(one, {text: `${one.id}`}))
			.join('');
		output.write(text.slice(0, 7));
		setImmediate(() => output.write(text.slice(7)));
	});
	const [first, second] = await Promise.all([agent.call('listing', {}), agent.call('listing', {})]);
	t.deepEqual([first.text, second.text], ['1', '2']);
});

test('an error of the agent carries its errno', async t => {
	const {agent} = world(({id}, output) => {
		output.write(`${JSON.stringify({id, error: {errno: 'EINVAL', message: 'no such symbol'}})}\n`);
	});
	const error = await t.throwsAsync(agent.call('rmmod', {module: 'x'}), {instanceOf: AgentError});
	t.is(error.errno, 'EINVAL');
	t.regex(error.message, /rmmod: no such symbol/);
});

const ends: Record<string, (output: PassThrough) => void> = {
	'a line that is not JSON': output => output.write('Segmentation fault\n'),
	'an answer without an id': output => output.write('{"ok": {}}\n'),
	'an answer without a result': output => output.write('{"id": 1}\n'),
	null: output => output.write('null\n'),
	'the end of its output': output => output.end(),
	'half a line and the end': output => output.end('{"id": 1, "ok'),
	'a line of more than 16 MiB': output => output.write('x'.repeat((16 << 20) + 1)),
	'a broken stream': output => output.destroy(new Error('reset')),
};
for (const [what, end] of Object.entries(ends)) {
	test(`${what} ends every pending and every later call`, async (t: ExecutionContext) => {
		const {agent} = world(({id}, output) => {
			if (id === 2) end(output);
		});
		const waiting = [agent.call('release', {}), agent.call('reset', {})];
		for (const each of waiting)
			await t.throwsAsync(each, {instanceOf: LinkLostError, message: /agent in the guest is gone/});
		await t.throwsAsync(agent.call('reset', {}), {instanceOf: LinkLostError});
		t.true((await agent.gone) instanceof LinkLostError);
	});
}

test('a line of more than 16 MiB that comes in pieces ends a call, too', async t => {
	const {agent} = world((_, output) => {
		for (let mib = 0; mib < 17; mib++) output.write('x'.repeat(1 << 20));
	});
	await t.throwsAsync(agent.call('reset', {}, {deadlineMs: 20_000}), {
		instanceOf: LinkLostError,
		message: /a line longer than 16 MiB/,
	});
});

test('many answers may be longer than 16 MiB together', async t => {
	const text = 'x'.repeat(3 << 20);
	const {agent} = world((request, output) => output.write(ok(request, {text})));
	for (let n = 0; n < 6; n++) t.is((await agent.call('listing', {})).text.length, text.length, `answer ${n}`);
});

test('how the agent ended is said, as process 1 tells it', async t => {
	const {agent} = world((_, output) => output.write('the agent ended by SIGSEGV\n'));
	await t.throwsAsync(agent.call('reset', {}), {
		instanceOf: LinkLostError,
		message: 'The agent in the guest is gone: it ended by SIGSEGV.',
	});
});

test('a deadline ends one call; its late answer does not affect others', async t => {
	const late: Request[] = [];
	const {agent} = world((request, output) => {
		if (request.op === 'listing') late.push(request);
		else output.write(ok(late[0]!, {text: 'late'}) + ok(request, {}));
	});
	await t.throwsAsync(agent.call('listing', {}, {deadlineMs: 30}), {name: 'TimeoutError'});
	t.deepEqual(await agent.call('reset', {}), {});
});

test('a call whose signal has aborted sends nothing', async t => {
	const {agent} = world(() => t.fail());
	await t.throwsAsync(agent.call('reset', {}, {signal: AbortSignal.abort(new RangeError('no'))}), {
		instanceOf: RangeError,
	});
});

test('a connection that breaks on the way to the agent ends every call, with the reason', async t => {
	const input = new PassThrough();
	const agent = new Agent(new PassThrough(), input);
	const waiting = agent.call('reset', {});
	input.destroy(new Error('EPIPE.'));
	const lost = {instanceOf: LinkLostError, message: 'The agent in the guest is gone: EPIPE.'};
	await t.throwsAsync(waiting, lost);
	await t.throwsAsync(agent.call('reset', {}), lost);
	t.is((await agent.gone).message, lost.message);
});

test('an agent that is disposed of has no more calls, and its input ends', async t => {
	const input = new PassThrough();
	const agent = new Agent(new PassThrough(), input);
	const waiting = agent.call('reset', {});
	const lost = {instanceOf: LinkLostError, message: 'The agent in the guest is gone: we closed it.'};
	const refused = t.throwsAsync(waiting, lost);
	await agent[Symbol.asyncDispose]();
	await refused;
	t.true(input.writableEnded);
	await t.throwsAsync(agent.call('reset', {}), lost);
	t.regex(String(input.read()), /^\{"id":1,"op":"reset"\}\n$/, 'the call after that was not sent');
});

test('an answer is read byte by byte, between empty lines', async t => {
	const text = 'Grüße ✓ \u{1f600}';
	const {agent} = world((request, output) => {
		for (const byte of Buffer.from(`\n \n${ok(request, {text})}`)) output.write(Buffer.from([byte]));
	});
	t.is((await agent.call('listing', {})).text, text);
});

test('what the agent says after it is gone does not count', async t => {
	const {agent} = world((request, output) => output.write(`nonsense\n${ok(request, {})}`));
	await t.throwsAsync(agent.call('reset', {}), {
		instanceOf: LinkLostError,
		message: 'The agent in the guest is gone: its answer is not valid: "nonsense".',
	});
});

test('an answer to nobody is dropped, and a refusal without words is one', async t => {
	const {agent} = world(({id}, output) => {
		output.write(`{"id": 99, "ok": {}}\n{"id": 98, "error": {"errno": "EIO", "message": "other"}}\n`);
		output.write(`{"id": ${id}, "error": {}}\n`);
	});
	await t.throwsAsync(agent.call('reset', {}), {instanceOf: AgentError, message: 'reset: undefined (undefined)'});
});
