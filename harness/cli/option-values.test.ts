// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {Command, InvalidArgumentError} from 'commander';
import {numberOf, repeatable, wholeNumber} from './option-values.ts';

test('a repeated option keeps all values, and --help shows its default', t => {
	const command = new Command().addOption(repeatable('--only <name>', 'what to run', 'everything'));
	t.deepEqual(command.parse([], {from: 'user'}).opts(), {only: []});
	t.deepEqual(command.parse(['--only', 'a', '--only', 'b'], {from: 'user'}).opts(), {only: ['a', 'b']});
	t.regex(command.helpInformation(), /what to run; may be repeated \(default: everything\)/);
});

const parsers = {
	'It must be an integer from 1.': {parse: wholeNumber(1), good: ['1', '99999'], bad: ['0', '1.5', 'Infinity']},
	'It must be an integer from 1 to 10.': {parse: wholeNumber(1, 10), good: ['1', '10'], bad: ['11', '-1', 'x']},
	'It must be a number of hours from 0 to 10.': {
		parse: numberOf('hours', 0, 10),
		good: ['0', '1.5', '10'],
		bad: ['10.1', '', ' ', 'NaN'],
	},
};
for (const [message, {parse, good, bad}] of Object.entries(parsers)) {
	test(`a parser rejects values that are out of range or not numbers: ${message}`, t => {
		for (const value of good) t.is(parse(value), Number(value));
		for (const value of bad) t.throws(() => parse(value), {instanceOf: InvalidArgumentError, message}, value);
	});
}
