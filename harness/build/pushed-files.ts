// SPDX-License-Identifier: GPL-2.0
import {readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import type {PushedFile} from './guest-content.ts';

/** A file, or all files below a directory, as they are pushed to or below `target`. A link to nowhere is no file. */
export function pushedFiles(from: string, target: string): readonly PushedFile[] {
	if (!statSync(from).isDirectory()) return [pushedFile(from, target)];
	return readdirSync(from, {recursive: true, encoding: 'utf8'})
		.toSorted()
		.filter(name => statSync(path.join(from, name), {throwIfNoEntry: false})?.isFile())
		.map(name => pushedFile(path.join(from, name), path.join(target, name)));
}

function pushedFile(source: string, target: string): PushedFile {
	return {path: target, source, mode: statSync(source).mode & 0o777};
}
