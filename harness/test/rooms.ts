// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {projectRoot} from '../build/sources.ts';

/** A folder of harness/, or a file of its own, and the rooms that it may import. Rooms are ordered from top to bottom. */
export type Room = {readonly name: string; readonly mayImport: readonly string[]};

/** An import; both paths are below harness/. Type imports and dynamic imports count. */
export type Import = {readonly from: string; readonly to: string};

/** Reads the rooms from the table in ARCHITECTURE.md: name, description, imports. */
export function readRooms(): readonly Room[] {
	const text = readFileSync(path.join(projectRoot, 'ARCHITECTURE.md'), 'utf8');
	return [...text.matchAll(/^\| `harness\/([\w/-]*\w(?:\.ts)?)\/?` \|.*\| ([^|]*) \|$/gm)].map(([, name, imports]) => ({
		name: name!,
		mayImport: [...imports!.matchAll(/`([\w/-]+)`/g)].map(([, room]) => room!),
	}));
}

/** All imports between files of harness/. Test files are left out, because they may import anything. */
export function readImports(): readonly Import[] {
	const root = path.join(projectRoot, 'harness');
	const files = readdirSync(root, {recursive: true, encoding: 'utf8'});
	return files
		.filter(file => /\.[jt]s$/.test(file) && !file.endsWith('.test.ts'))
		.flatMap(from => {
			const text = readFileSync(path.join(root, from), 'utf8');
			return [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.[jt]s)'/g)].map(([, to]) => ({
				from,
				to: path.join(path.dirname(from), to!),
			}));
		});
}

/** The room of a file: the longest room name that its path begins with. */
function roomOf(rooms: readonly Room[], file: string): Room | undefined {
	const holding = rooms.filter(({name}) => file === name || file.startsWith(`${name}/`));
	return holding.toSorted((a, b) => b.name.length - a.name.length)[0];
}

/** Violations of the table and cycles, one line each. */
export function findProblems(rooms: readonly Room[], imports: readonly Import[]): readonly string[] {
	const used = new Set<string>();
	const problems: string[] = [];
	for (const {from, to} of imports) {
		const [importer, imported] = [roomOf(rooms, from), roomOf(rooms, to)];
		if (!importer || !imported) problems.push(`${importer ? to : from} lies in no room`);
		else if (importer !== imported) {
			used.add(`${importer.name} ${imported.name}`);
			if (!importer.mayImport.includes(imported.name)) problems.push(`${from} may not import ${to}`);
		}
	}
	for (const [floor, {name, mayImport}] of rooms.entries())
		for (const below of mayImport) {
			if (!rooms.slice(floor + 1).some(room => room.name === below))
				problems.push(`${name} lists ${below}, no room below`);
			if (!used.has(`${name} ${below}`)) problems.push(`${name} lists ${below}, but does not import it`);
		}
	return [...problems, ...findCircles(imports).map(files => `a circle: ${files.join(' → ')}`)];
}

function findCircles(imports: readonly Import[]): readonly (readonly string[])[] {
	const importsOf = Map.groupBy(imports, ({from}) => from);
	const done = new Set<string>();
	const circles: (readonly string[])[] = [];
	const visit = (file: string, way: readonly string[]): void => {
		if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
		else if (!done.has(file)) {
			for (const {to} of importsOf.get(file) ?? []) visit(to, [...way, file]);
			done.add(file);
		}
	};
	for (const file of importsOf.keys()) visit(file, []);
	return circles;
}
