// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {findProblems, type Import, type Room, readImports, readRooms} from './rooms.ts';

test('rooms import each other as the table in ARCHITECTURE.md says, without cycles', t => {
	const rooms = readRooms();
	t.true(rooms.length > 20, `${rooms.length} rooms were read`);
	const imports = readImports();
	t.true(imports.length > 1000, `${imports.length} imports were read`);
	t.deepEqual(findProblems(rooms, imports), []);
});

const rooms: readonly Room[] = [
	{name: 'top', mayImport: ['top/inner', 'ground']},
	{name: 'top/inner', mayImport: ['ground']},
	{name: 'ground', mayImport: []},
];
const good: readonly Import[] = [
	{from: 'top/a.ts', to: 'top/inner/b.ts'},
	{from: 'top/a.ts', to: 'ground/c.ts'},
	{from: 'top/inner/b.ts', to: 'ground/c.ts'},
];

for (const [title, planted, problem] of [
	['an upward import', {from: 'ground/c.ts', to: 'top/a.ts'}, 'ground/c.ts may not import top/a.ts'],
	['an import from a nested room', {from: 'top/inner/b.ts', to: 'top/a.ts'}, 'top/inner/b.ts may not import top/a.ts'],
	['a file outside of all rooms', {from: 'attic/d.ts', to: 'ground/c.ts'}, 'attic/d.ts lies in no room'],
	['a cycle within a room', {from: 'ground/c.ts', to: 'ground/c.ts'}, 'a circle: ground/c.ts → ground/c.ts'],
] as const)
	test(`${title} is found`, t => {
		t.deepEqual(findProblems(rooms, good), []);
		t.true(findProblems(rooms, [...good, planted]).includes(problem));
	});

test('a table with an upward or unused import is rejected', t => {
	const upward = rooms.map(room => (room.name === 'ground' ? {...room, mayImport: ['top']} : room));
	t.deepEqual(findProblems(upward, good), [
		'ground lists top, no room below',
		'ground lists top, but does not import it',
	]);
	t.deepEqual(findProblems(rooms, good.slice(1)), ['top lists top/inner, but does not import it']);
});
