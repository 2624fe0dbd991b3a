// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Edit} from './edits.ts';
import {edited, groupEdits} from './groups.ts';

function editOf(parts: Partial<Edit>): Edit {
	return {name: 'an-edit', file: 'kmod/a.c', old: 'a', new: 'b', effect: 'It is worse.', catchers: ['x'], ...parts};
}

test('an edit applies where its text occurs exactly once', t => {
	const edit = editOf({old: 'lock();', new: ''});
	t.is(edited(edit, 'a lock(); b'), 'a  b');
	t.is(edited(edit, 'unlocked'), undefined);
	t.is(edited(edit, 'lock(); lock();'), undefined);
	t.is(edited(editOf({old: 'aa', new: 'b'}), 'aaa'), undefined, 'places that overlap are two');
	t.is(edited(editOf({old: 'a', new: 'a'}), 'a'), undefined, 'an edit that changes nothing');
	t.is(edited(editOf({old: 'a', new: '$&$&'}), 'a'), '$&$&', 'the new text is taken as it is');
});

test('edits share a run if kernel, files and cells allow it', t => {
	const wanted = [
		{edit: editOf({name: '1', file: 'a'}), cells: ['x', 'y']},
		{edit: editOf({name: '2', file: 'b'}), cells: ['z']},
		{edit: editOf({name: 'same file', file: 'b'}), cells: ['w']},
		{edit: editOf({name: 'same cell', file: 'c'}), cells: ['v', 'y']},
		{edit: editOf({name: 'other kernel', file: 'd', kernel: '4.15.18'}), cells: ['u']},
		{edit: editOf({name: '3', file: 'd'}), cells: ['t']},
	];
	const names = groupEdits(wanted).map(group => group.map(({edit}) => edit.name));
	t.deepEqual(names, [['1', '2', '3'], ['same file', 'same cell'], ['other kernel']]);
});

test('cells that unload modules share no run', t => {
	const wanted = ['module/reload-20', 'return/unload-beside-fexit[c]', 'multi/order[c]', 'race/owner-killed[c]'].map(
		(cell, n) => ({edit: editOf({name: cell, file: `${n}`}), cells: [cell]}),
	);
	const names = groupEdits(wanted).map(group => group.map(({edit}) => edit.name));
	t.deepEqual(names, [
		['module/reload-20', 'multi/order[c]'],
		['return/unload-beside-fexit[c]'],
		['race/owner-killed[c]'],
	]);
});

test('a group holds four edits, and each edit is in one group', t => {
	const wanted = Array.from({length: 9}, (_, n) => ({edit: editOf({name: `${n}`, file: `${n}`}), cells: [`${n}`]}));
	const groups = groupEdits(wanted);
	t.deepEqual(
		groups.map(({length}) => length),
		[4, 4, 1],
	);
	t.deepEqual(groups.flat(), wanted);
});
