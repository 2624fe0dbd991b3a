// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {statSync} from 'node:fs';
import path from 'node:path';
import {debianRow, flavours, unknownKernel, whyNoFlavour} from './catalogue.ts';
import {isRelease, releaseName} from './kernel-version.ts';
import {ubuntuBase} from './ubuntu.ts';

/** What a kernel's id means. */
export type KernelId = {
	/** As events and tables show it: `4.15.18+debug`, also for 4.15.0-72-generic+debug. */
	readonly id: string;
	readonly flavour: string;
} & (
	| {readonly kind: 'debian'}
	/** Built here, from Debian's source package of that series. */
	| {readonly kind: 'debian-source'; readonly series: string}
	| {readonly kind: 'release'; readonly version: string}
	| {readonly kind: 'directory'; readonly directory: string}
);

/** Parses an id. Throws UsageError, with the nearest known ids, for an unknown one. */
export function parseKernelId(text: string): KernelId {
	if (looksLikePath(text)) return directoryId(text);
	const {name, flavour} = splitFlavour(text);
	const row = debianRow(name);
	if (row) {
		if (flavour === 'base') return {kind: 'debian', id: name, flavour: 'cloud'};
		requireFlavour(text, flavour, row.series);
		return {kind: 'debian-source', series: row.series, id: text, flavour};
	}
	const version = ubuntuBase(name) ?? (isRelease(name) ? releaseName(name) : undefined);
	if (version === undefined) throw unknownKernel(text);
	requireFlavour(text, flavour, version);
	return {kind: 'release', version, flavour, id: withFlavour(version, flavour)};
}

/** Unique per id, for use in file names. */
export function fileNameOf({id}: {readonly id: string}): string {
	const name = id.replaceAll(/[^\w.+-]/g, character => `%${character.codePointAt(0)!.toString(16)}`);
	if (name.length <= longestName) return name;
	// File names are limited to 255 bytes; the end of a path is the most telling part.
	return `${createHash('sha256').update(id).digest('hex').slice(0, 12)}${name.slice(-longestName)}`;
}

const longestName = 100;

function withFlavour(name: string, flavour: string): string {
	return flavour === 'base' ? name : `${name}+${flavour}`;
}

function splitFlavour(text: string): {name: string; flavour: string} {
	const plus = text.lastIndexOf('+');
	const flavour = text.slice(plus + 1);
	if (plus < 0) return {name: text, flavour: 'base'};
	if (!flavours.includes(flavour)) {
		throw unknownKernel(text, `there is no flavour ${JSON.stringify(flavour)}, only ${flavours.join(', ')}`);
	}
	return {name: text.slice(0, plus), flavour};
}

/** Throws UsageError if the flavour needs a newer release. */
function requireFlavour(text: string, flavour: string, version: string): void {
	const reason = whyNoFlavour(version, flavour);
	if (reason !== undefined) throw unknownKernel(text, reason);
}

function looksLikePath(text: string): boolean {
	return text.includes('/') || text === '.' || text === '..';
}

/** A directory may have a plus in its name, so an existing directory wins over a flavour. */
function directoryId(text: string): KernelId {
	if (isDirectory(text) || !text.includes('+')) {
		const directory = path.resolve(text);
		return {kind: 'directory', directory, flavour: 'base', id: directory};
	}
	const {name, flavour} = splitFlavour(text);
	const directory = path.resolve(name);
	return {kind: 'directory', directory, flavour, id: withFlavour(directory, flavour)};
}

function isDirectory(file: string): boolean {
	return statSync(file, {throwIfNoEntry: false})?.isDirectory() ?? false;
}
