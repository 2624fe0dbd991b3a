// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {glob} from 'node:fs/promises';
import {registerHooks} from 'node:module';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import * as z from 'zod';
import {type Case, defineCase} from '../../engine/case.ts';
import type {Suite} from '../../engine/suite.ts';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {SuiteDefinition} from './definition.ts';
import {suiteFrom} from './suite.ts';

const isFunction = z.custom<(...args: never[]) => unknown>(value => typeof value === 'function', 'must be a function');
const strings = z.array(z.string());

const caseSchema = z.looseObject({
	id: z.string(),
	deadlineMs: z.number().positive(),
	targets: strings.min(1).optional(),
	needs: strings.optional(),
	run: isFunction,
});

const fields = {
	name: z.string().regex(/^[\w+][\w.+-]*$/, 'may have letters, digits and ._+- only'),
	modules: z
		.array(
			z.union([
				z.string(),
				z.strictObject({
					from: z.string(),
					parameters: z.string().optional(),
					make: z.union([strings, isFunction]).optional(),
				}),
			]),
		)
		.optional(),
	build: strings.min(1).optional(),
	files: z.array(z.union([z.string(), z.strictObject({from: z.string(), to: z.string().optional()})])).optional(),
	kconfig: z.string().optional(),
	kernels: z.strictObject({default: z.string().optional(), tested: strings.optional()}).optional(),
	tests: z.string().optional(),
	cases: z.array(z.union([z.string(), caseSchema])).optional(),
	targets: strings.optional(),
	open: isFunction.optional(),
	beforeCell: isFunction.optional(),
	leftovers: isFunction.optional(),
};

const schema = z.strictObject(fields, {
	error: ({code}) => (code === 'invalid_type' ? 'it has to be one suite, made by defineSuite' : undefined),
});

/**
 * Loads the suite that a file exports as its default, and its cases. `modules` and `tests` replace those of the suite.
 * Throws UsageError, with one sentence, for anything that is wrong with it.
 */
export async function loadSuiteFile(
	file: string,
	{modules, tests}: {modules: readonly string[]; tests?: string | undefined},
): Promise<Suite> {
	const exported = await importFile(file);
	if (exported.default === undefined)
		throw new UsageError(`${file} exports no suite: it needs \`export default defineSuite({…})\`.`);
	const parsed = schema.safeParse(exported.default);
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		throw new UsageError(`${file}: the suite's ${issue!.path.join('.') || 'definition'} is wrong: ${issue!.message}.`);
	}
	const definition = exported.default as SuiteDefinition;
	const directory = path.dirname(path.resolve(file));
	const {cases, files} = await casesOf(definition, {file, directory});
	return suiteFrom(definition, {file, directory, cases, sources: [path.resolve(file), ...files], modules, tests});
}

async function casesOf(
	{cases = []}: SuiteDefinition,
	{file, directory}: {file: string; directory: string},
): Promise<{cases: readonly Case[]; files: readonly string[]}> {
	const found: Case[] = [];
	const files: string[] = [];
	for (const each of cases) {
		if (typeof each !== 'string') {
			found.push(each);
			continue;
		}
		const names = (await Array.fromAsync(glob(each, {cwd: directory}))).toSorted();
		if (names.length === 0) throw new UsageError(`${file}: ${each} matches no file.`);
		for (const name of names) {
			const values = Object.values(await importFile(path.join(directory, name))).flat();
			const own = values.filter(value => caseSchema.safeParse(value).success) as Case[];
			if (own.length === 0)
				throw new UsageError(
					`${path.join(directory, name)} exports no case: it needs \`export const NAME = defineCase({…})\`.`,
				);
			found.push(...own);
			files.push(path.join(directory, name));
		}
	}
	for (const each of found) requireNames(each, file);
	return {cases: found, files};
}

/** A case need not have been declared by defineCase, which checks its names. */
function requireNames(each: Case, file: string): void {
	try {
		defineCase(each);
	} catch (error) {
		throw new UsageError(`${file}: ${messageOf(error)}.`, {cause: error});
	}
}

/**
 * A suite imports `probe-matrix`. Where that is not installed, it is this one. The file that holds the API has the same
 * extension as this one, in a checkout and in a package.
 */
registerHooks({
	resolve(specifier, context, next) {
		try {
			return next(specifier, context);
		} catch (error) {
			if (specifier !== 'probe-matrix') throw error;
			return next(new URL(`../../index${path.extname(import.meta.filename)}`, import.meta.url).href, context);
		}
	},
});

async function importFile(file: string): Promise<Record<string, unknown>> {
	const absolute = path.resolve(file);
	if (!existsSync(absolute)) throw new UsageError(`There is no ${file}.`);
	try {
		return await import(pathToFileURL(absolute).href);
	} catch (error) {
		const [why] = messageOf(error).split('\n');
		const hint = /import statement outside a module|Unexpected token 'export'/.test(why!)
			? '; its package.json needs "type": "module"'
			: '';
		throw new UsageError(`${file} cannot be loaded: ${why}${hint}`, {cause: error});
	}
}
