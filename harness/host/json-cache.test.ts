// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setImmediate} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {damages} from '../test/damage.ts';
import {readCached, readRecord, writeCached} from './json-cache.ts';

type Record = {readonly name: string; readonly sizes: readonly number[]};

const record: Record = {name: 'debian-6.1', sizes: [1, 2]};
const always = Number.POSITIVE_INFINITY;

async function fileIn(t: ExecutionContext): Promise<string> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'json-cache-'));
	t.teardown(() => directory.remove());
	return path.join(directory.path, 'record.json');
}

const holds = ({name, sizes}: Record) => name === 'debian-6.1' && sizes.every(size => size > 0);

test('a record is read as it was written', async t => {
	const file = await fileIn(t);
	t.is(await readRecord(file), undefined);
	await writeCached(file, record);
	t.deepEqual(await readCached(file, always, holds), record);
	t.is(await readCached<Record>(file, always, () => false), undefined);
});

test('a record without a checksum, of an older version, is read', async t => {
	const file = await fileIn(t);
	await writeFile(file, JSON.stringify(record));
	t.deepEqual(await readCached(file, always, holds), record);
});

test('a record is too old after its time', async t => {
	const file = await fileIn(t);
	await writeCached(file, record);
	await utimes(file, Date.now() / 1000 - 100, Date.now() / 1000 - 100);
	t.deepEqual(await readCached(file, 200_000, holds), record);
	t.is(await readCached(file, 50_000, holds), undefined);
});

for (const [what, damage] of Object.entries(damages)) {
	test(`a record that is ${what} counts as missing, and can be written again`, async t => {
		const file = await fileIn(t);
		await writeCached(file, record);
		await writeFile(file, damage(await readFile(file)));
		t.is(await readCached(file, always, holds), undefined);
		await writeCached(file, record);
		t.deepEqual(await readCached(file, always, holds), record);
	});
}

test('no flipped bit changes what is read', async t => {
	const file = await fileIn(t);
	await writeCached(file, record);
	const data = await readFile(file);
	for (let bit = 0; bit < 8 * data.length; bit += 3) {
		const copy = Buffer.from(data);
		copy[bit >> 3]! ^= 1 << (bit & 7);
		await writeFile(file, copy);
		const found = await readRecord(file);
		// A flip in white space changes nothing.
		if (found !== undefined) t.deepEqual(found, record);
	}
	t.pass();
});

test('a check that takes time decides as any other does, and its failure is one of the reading', async t => {
	const file = await fileIn(t);
	await writeCached(file, record);
	const checked: Record[] = [];
	const later = (answer: boolean) => async (value: Record) => {
		await setImmediate();
		checked.push(value);
		return answer;
	};
	t.deepEqual(await readCached(file, always, later(true)), record);
	t.is(await readCached(file, always, later(false)), undefined);
	t.deepEqual(checked, [record, record]);
	const fails = async () => Promise.reject(new TypeError('a mistake of ours'));
	await t.throwsAsync(readCached(file, always, fails), {instanceOf: TypeError});
});

test('what is missing, too old or damaged is not checked', async t => {
	const file = await fileIn(t);
	const check = () => t.fail() as never;
	t.is(await readCached(file, always, check), undefined);
	await writeCached(file, record);
	await utimes(file, 0, 0);
	t.is(await readCached(file, 1000, check), undefined);
	await writeFile(file, '{');
	t.is(await readCached(file, always, check), undefined);
});
