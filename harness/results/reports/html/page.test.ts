// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {Browser, browserPackage} from '../../../test/browser.ts';
import {hasTool} from '../../../test/optional-tool.ts';
import {hostile, sampleRun} from '../../../test/sample-run.ts';
import {compareRuns} from '../../compare/compare-runs.ts';
import type {NightFinding} from '../../run/events.ts';
import {formatHtml} from './page.ts';

const kernels = ['4.15.18', 'debian-6.1', 'debian-5.10', 'debian-6.12', 'debian-7.2', '4.15.18+nopreempt'];
const record = sampleRun({kernels});
const good = {...record, cells: record.cells.filter(({verdict}) => verdict === 'pass' || verdict === 'skip')};
const trends = [
	{kernel: 'debian-6.1', what: 'restore to agent answers', unit: 'ms', budget: 250, values: [190.44, 210, 260.6]},
	{kernel: 'debian-6.1', what: 'instructions per <entry>', unit: '', budget: 432, values: [401]},
].map(({values, ...trend}) => ({...trend, points: values.map((value, n) => ({run: `r${n}`, value}))}));
const findings: readonly NightFinding[] = [
	{kind: 'flaky', kernel: 'k', cell: 'race/storm', words: 'fail, 1 of 10 reruns failed, new'},
	{kind: 'kernel', kernel: 'l', words: `unavailable: ${hostile}`},
	{kind: 'regression', kernel: 'k', cell: 'entry/flags', words: 'fail, 7 of 10 reruns failed, new'},
];
const nightOf = (found: readonly NightFinding[]) => ({...record, end: {...record.end!, findings: found}});
const page = formatHtml({
	record: nightOf(findings),
	comparison: compareRuns(good, record),
	history: () => [90, 120, 70],
	trends,
});

/** The lowest contrast of visible text on its background in the page, and that text. */
const leastContrast = `(() => {
	const light = colour => {
		const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(each => each / 255)
			.map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const backOf = element => {
		for (; element; element = element.parentElement) {
			const {backgroundColor} = getComputedStyle(element);
			if (!/, 0\\)$/.test(backgroundColor)) return backgroundColor;
		}
		return 'rgb(255, 255, 255)';
	};
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let least = [99, ''];
	while (walker.nextNode()) {
		const {textContent, parentElement} = walker.currentNode;
		if (!textContent.trim() || !parentElement.checkVisibility() || parentElement.closest('svg, script, button')) continue;
		const [a, b] = [light(getComputedStyle(parentElement).color), light(backOf(parentElement))].sort((x, y) => y - x);
		const contrast = (a + 0.05) / (b + 0.05);
		if (contrast < least[0]) least = [contrast, textContent.slice(0, 40)];
	}
	return least;
})()`;

/** Opens the page; undefined without a browser, after telling how to install it. */
async function openPage(t: ExecutionContext, window: Parameters<Browser['load']>[1]): Promise<Browser | undefined> {
	if (!(await hasTool(t, browserPackage))) return undefined;
	t.timeout(60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'page-'));
	const file = path.join(directory.path, 'report.html');
	await writeFile(file, page);
	await using resources = new AsyncDisposableStack();
	const browser = resources.use(await Browser.open());
	await browser.load(pathToFileURL(file).href, window);
	// The test disposes it.
	resources.move();
	return browser;
}

for (const width of [1280, 360]) {
	for (const scheme of ['light', 'dark'] as const) {
		test.serial(
			`a page of width ${width} in ${scheme} colours is complete and readable, and runs only our script`,
			async t => {
				await using browser = await openPage(t, {width, scheme});
				if (!browser) return;
				t.deepEqual(
					browser.events.filter(({method}) => method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded'),
					[],
					'nothing threw, and nothing was refused by the policy: there is nothing that it would have to refuse',
				);
				const requests = browser.events.filter(({method}) => method === 'Network.requestWillBeSent');
				t.is(requests.length, 1, 'it loads nothing but itself');
				t.is(await browser.evaluate('document.title'), 'probe-matrix 20261122T120000Z-0000');
				t.is(
					await browser.evaluate(
						"document.querySelectorAll('script').length + document.querySelectorAll('img, iframe').length",
					),
					1,
					'the one script is ours',
				);
				t.is(await browser.evaluate("[...document.querySelectorAll('*')].filter(each => each.onmouseover).length"), 0);
				t.true(await browser.evaluate("document.body.textContent.includes('<script>document.title')"), 'it is text');
				t.true(await browser.evaluate('document.scrollingElement.scrollWidth <= innerWidth'), 'it fits');
				const [contrast, text] = (await browser.evaluate(leastContrast)) as [number, string];
				t.true(contrast >= 4.5, `${contrast}: ${text}`);
			},
		);
	}
}

test.serial('a printed page fits and uses light colours', async t => {
	await using browser = await openPage(t, {width: 794, scheme: 'dark'});
	if (!browser) return;
	await browser.ask('Emulation.setEmulatedMedia', {
		media: 'print',
		features: [{name: 'prefers-color-scheme', value: 'dark'}],
	});
	t.true(await browser.evaluate('document.scrollingElement.scrollWidth <= innerWidth'));
	t.is(await browser.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
});

test('links have targets, and ids are unique', t => {
	const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(match => match[1]!);
	t.is(new Set(ids).size, ids.length);
	for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) t.true(ids.includes(anchor!), anchor);
	t.is(page.match(/href="(?!#)/g), null);
});

test('tables have captions and sections have headings', t => {
	t.is(page.match(/<table/g)?.length, page.match(/<caption>[^<]/g)?.length);
	t.is(page.match(/<section/g)?.length, page.match(/<h2/g)?.length);
});

test('changes come before the matrix', t => {
	const at = page.indexOf('<h2 id="changes">');
	t.true(at > 0 && at < page.indexOf('<h2 id="matrix">'));
	t.true(page.includes('New failures (3)'));
	t.false(formatHtml({record}).includes('id="changes"'));
});

test('nightly findings come first, most severe on top, and are escaped', t => {
	const at = page.indexOf('<h2 id="night">This night');
	const end = page.indexOf('<h2 id="changes">');
	t.true(at > 0 && at < end);
	t.deepEqual(
		[...page.slice(at, end).matchAll(/<caption>([^<]*)/g)].map(match => match[1]),
		['Regressions (1)', 'Kernels that could not run (1)', 'Flaky (1)'],
	);
	t.true(page.includes('7 of 10 reruns failed'));
	t.is(page.match(/<script/g)?.length, 1);
	t.false(formatHtml({record}).includes('id="night"'));
	t.true(formatHtml({record: nightOf([])}).includes('Nothing failed, and every kernel'));
});

test('expected and seen registers are side by side, and differences are marked without colours', t => {
	t.regex(page, /<tr class="different"><th scope="row">bx<\/th><td>0x2<\/td><td>0xffffffff81000000<\/td><td>← no</);
	t.regex(page, /<tr><th scope="row">ax<\/th><td>(0x\w+)<\/td><td>\1<\/td><td>yes</);
	t.regex(page, /<th scope="row">3<\/th><td>–<\/td><td>ioctl<\/td><td>← no</);
});

test('an unavailable kernel is a column with its reason', t => {
	t.regex(page, /<th scope="col">4\.15\.18\+debug <span class="state">unavailable/);
	t.true(page.includes('kernel.org cannot be reached.'));
});

test('an unusable kernel is shown once, with the end of its console', t => {
	t.regex(
		page,
		/<td>failed: Linux 4\.15\.11 did not boot: triple fault at secondary_startup_64\+0x5d; 34 cells did not run</,
	);
	t.regex(
		page,
		/<h3><span class="chip v-infra">failed<\/span> 4\.15\.11<\/h3>\n<p class="muted">34 cells did not run</,
	);
	t.true(page.includes('the last line &#60;of&#62; it'));
	t.true(page.includes('<strong>34</strong> not run'));
	t.regex(page, /What did not pass \(7\)<\/h2>/);
});

test('verdicts are shown as words', t => {
	for (const verdict of ['fail', 'crash', 'hang', 'inconclusive', 'infra'])
		t.regex(page, new RegExp(`<a class="chip v-${verdict}" href="#failure-\\d">asm ${verdict}<`));
	t.regex(page, /<span class="chip v-pass">4 pass</);
});

test('an interrupted run is shown as such', t => {
	t.regex(formatHtml({record: sampleRun({isInterrupted: true})}), /Interrupted\.<\/strong> .*73 of 115 cells/);
	t.false(page.includes('Interrupted.'));
});

test('with a history each duration has a chart', t => {
	t.is(page.match(/<svg class="spark"/g)?.length, 60 + trends.length);
	t.false(formatHtml({record}).includes('<svg'));
});

test('measurements have their budget in words, the median before, and a chart', t => {
	const [, section] = page.split('<h2 id="trends">');
	const rows = [...section!.matchAll(/<tr><th scope="row">(.*)<\/tr>/g)].map(([row]) =>
		row!
			.replaceAll(/<svg.*<\/svg>/g, '')
			.replaceAll(/<[^>]+>/g, '|')
			.replaceAll(/\|+/g, '|'),
	);
	t.deepEqual(rows, [
		'|debian-6.1 › restore to agent answers|261 ms|250 ms|over|200 ms|',
		'|debian-6.1 › instructions per &#60;entry&#62;|401|432|within|–|',
	]);
	t.true(section!.includes('aria-label="190 ms, 210 ms; now 261 ms"'));
	t.true(section!.includes('aria-label="now 401"'));
	t.false(formatHtml({record}).includes('id="trends"'));
});

test('a measurement is judged as it is, not as it is shown', t => {
	const [trend] = trends;
	const judged = (value: number) =>
		formatHtml({record, trends: [{...trend!, budget: 100, points: [{run: 'r', value}]}]})
			.split('<h2 id="trends">')[1]!
			.match(/<span class="chip [^"]*">(\w+)</)?.[1];
	t.deepEqual([100, 100.4].map(judged), ['within', 'over']);
});

test('a failure tells which repeat it was, and how its rerun ended', t => {
	const failed = {...record.cells.at(-1)!, verdict: 'fail', durationMs: 1500} as const;
	const textOf = (cell: Partial<typeof failed>) =>
		formatHtml({record: {...record, kernels: [], cells: [{...failed, ...cell}]}});
	t.regex(textOf({repeat: 2}), /, 1\.50? s, repeat 3<\/p>/);
	const flaky = textOf({flaky: true, again: {verdict: 'pass'}});
	t.regex(flaky, /, 1\.50? s, flaky<\/p>[\s\S]*<p>Rerun in a fresh guest: it passed<\/p>/);
	t.regex(textOf({again: {verdict: 'hang', message: 'no end'}}), /fresh guest: it ended with hang: no end<\/p>/);
	t.notRegex(textOf({message: ''}), /class="message"/);
});

test('a kernel that did not boot is run again with its suite', t => {
	const failed = record.kernels.find(({state}) => state === 'failed')!;
	const text = formatHtml({record: {...record, kernels: [{...failed, suite: 'mine'}], cells: []}});
	t.true(text.includes(`<code class="command">npx probe-matrix run mine --kernel ${failed.kernel}</code>`));
});

test('all of many failures are listed', t => {
	const cells = Array.from({length: 400}, (_, n) => ({
		...record.cells.at(-1)!,
		case: `return/bad-${n}`,
		message: `why ${n}`,
	}));
	const long = formatHtml({record: {...record, cells}});
	t.true(long.includes('<pre class="message">why 0</pre>'));
	t.true(long.includes('100 more, messages only'));
	t.is(cells.filter(({case: id, message}) => long.includes(id) && long.includes(message)).length, 400);
	const ids = new Set([...long.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));
	const links = [...long.matchAll(/ href="#([^"]*)"/g)].map(([, id]) => id);
	t.true(links.length >= 400);
	t.deepEqual(
		links.filter(link => !ids.has(link)),
		[],
		'links that lead nowhere',
	);
});

test('a long console tells that its beginning is omitted', t => {
	const console = Array.from({length: 500}, (_, n) => `line ${n}.`).join('\n');
	const long = formatHtml({record: {...record, cells: [{...record.cells.at(-1)!, console}]}});
	t.true(long.includes('console, without its first 300 lines'));
	t.false(long.includes('line 299.'));
	t.true(long.includes('line 300.') && long.includes('line 499.'));
});

test('known failings have a section of their own, to which the matrix and the list of sections lead', t => {
	const known = {...record.cells.at(-1)!, case: 'return/listed', verdict: 'known', message: 'as listed'} as const;
	const text = formatHtml({record: {...record, kernels: [], cells: [known]}});
	t.true(text.includes('<li><a href="#known">Known failings (1)</a></li>'));
	t.true(text.includes('<li><a href="#failures">What did not pass (0)</a></li>'));
	t.true(text.includes('<article id="known-1">'));
	t.false(page.includes('id="known"'));
	t.false(page.includes('href="#known"'));
});

test('several mechanisms are put side by side, in the order of the plan', t => {
	const cells = ['return/a', 'entry/b'].flatMap(id =>
		['bprobe', 'kprobe'].map(mechanism => ({...record.cells[0]!, case: id, mechanism})),
	);
	const run = {...record.run, order: {suites: ['entry', 'return'], targets: []}};
	const text = formatHtml({record: {...record, run, cells}});
	const [, section] = text.split('<h2 id="conformance">');
	t.true(text.includes('<li><a href="#conformance">Mechanisms side by side</a></li>'));
	t.deepEqual(
		[...section!.split('</section>')[0]!.matchAll(/<tr><th scope="row">([^<]*)</g)].map(([, name]) => name),
		['entry/b', 'return/a'],
	);
	t.false(page.includes('conformance'));
});

test('the number of what did not pass counts lost kernels and cells in the list of sections, too', t => {
	t.true(page.includes('<li><a href="#failures">What did not pass (7)</a></li>'));
});

test('small measurements are shown with a tenth', t => {
	const points = [3.14, 2.72, 2.5].map((value, n) => ({run: `r${n}`, value}));
	const text = formatHtml({record, trends: [{kernel: 'k', what: 'entry', unit: 'us', points}]});
	t.regex(text, /<td class="number">2\.5 us<\/td><td class="number"><\/td><td><\/td><td class="number">2\.9 us<\/td>/);
});
