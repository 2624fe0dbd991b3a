import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {collect, numberOf, wholeNumber} from './option-values.ts';

test('of an option that is given again all values are kept', t => {
	t.deepEqual(collect('b', collect('a', [])), ['a', 'b']);
});

const parsers = {
	'a whole number from 1 is needed.': {parse: wholeNumber(1), good: ['1', '99999'], bad: ['0', '1.5', 'Infinity']},
	'a whole number from 1 to 10 is needed.': {parse: wholeNumber(1, 10), good: ['1', '10'], bad: ['11', '-1', 'x']},
	'a number of hours from 0 to 10 is needed.': {
		parse: numberOf('hours', 0, 10),
		good: ['0', '1.5', '10'],
		bad: ['10.1', '', ' ', 'NaN'],
	},
};
for (const [message, {parse, good, bad}] of Object.entries(parsers)) {
	test(`a value that is out of range or no number is refused: ${message}`, t => {
		for (const value of good) t.is(parse(value), Number(value));
		for (const value of bad) t.throws(() => parse(value), {instanceOf: InvalidArgumentError, message}, value);
	});
}
