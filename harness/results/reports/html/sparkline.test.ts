// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {sparkline} from './sparkline.ts';

const pointsOf = (svg: string) =>
	/points="([^"]*)"/
		.exec(svg)![1]!
		.split(' ')
		.map(point => point.split(',').map(Number));

test('a sparkline has one point per run and one for now, with values scaled into the picture', t => {
	const points = pointsOf(sparkline([100, 200, 50], 400).text);
	t.is(points.length, 4);
	t.deepEqual(
		points.map(([x]) => x),
		points.map(([x]) => x).toSorted((a, b) => a! - b!),
	);
	const [first, second, third, now] = points.map(([, y]) => y!);
	t.true(now! < second! && second! < first! && first! < third!);
	for (const [x, y] of points) t.true(x! >= 0 && x! <= 120 && y! >= 0 && y! <= 28);
});

test('a sparkline without history, or of zeros, is valid', t => {
	for (const svg of [sparkline([], 5), sparkline([0, 0], 0)]) t.false(svg.text.includes('NaN'));
});

test('a sparkline has a label with its values', t => {
	t.regex(sparkline([100, 200], 300).text, /aria-label="100 ms, 200 ms; now 300 ms"/);
});
