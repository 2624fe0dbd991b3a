// SPDX-License-Identifier: GPL-2.0
import {InvalidArgumentError, Option} from 'commander';

/** An option that may be repeated; its value is the list of all values. `none` describes the default in --help. */
export function repeatable(flags: string, description: string, none: string): Option {
	return new Option(flags, `${description}; may be repeated`)
		.argParser((value: string, before: readonly string[]) => [...before, value])
		.default([], none);
}

/** Parser for an integer, bounds included. It throws InvalidArgumentError. */
export function wholeNumber(least: number, most = Number.POSITIVE_INFINITY): (value: string) => number {
	return parserOf('an integer', {least, most, isWhole: true});
}

/** Parser for a number of `units`, bounds included. It throws InvalidArgumentError. */
export function numberOf(units: string, least: number, most: number): (value: string) => number {
	return parserOf(`a number of ${units}`, {least, most, isWhole: false});
}

type Range = {readonly least: number; readonly most: number; readonly isWhole: boolean};

function parserOf(what: string, {least, most, isWhole}: Range): (value: string) => number {
	return value => {
		// Number('') is 0.
		const number = value.trim() === '' ? Number.NaN : Number(value);
		if (number >= least && number <= most && (!isWhole || Number.isSafeInteger(number))) return number;
		const range = most === Number.POSITIVE_INFINITY ? `from ${least}` : `from ${least} to ${most}`;
		throw new InvalidArgumentError(`It must be ${what} ${range}.`);
	};
}
