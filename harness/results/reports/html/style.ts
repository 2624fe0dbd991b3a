// SPDX-License-Identifier: GPL-2.0
/** All pairs of text and background have a contrast of at least 4.5 in both schemes; a test measures that. */
export const style = `
:root {
	color-scheme: light dark;
	--back: #ffffff; --text: #1f2328; --muted: #59636e; --line: #c8d1da; --soft: #f3f5f7; --link: #0a58b8;
	--pass: #d4f5dc; --pass-text: #0b4f1f; --fail: #ffd8d3; --fail-text: #8a1109; --crash: #a40e26; --crash-text: #ffffff;
	--hang: #ffdfb0; --hang-text: #643600; --inconclusive: #fff1a8; --inconclusive-text: #544500;
	--skip: #e4e8ec; --skip-text: #454c55; --infra: #eadcff; --infra-text: #4c2590;
	--known: #d3ecf7; --known-text: #0b4560;
}
@media screen and (prefers-color-scheme: dark) {
	:root {
		--back: #0d1117; --text: #e6edf3; --muted: #9aa4af; --line: #3a424c; --soft: #161b22; --link: #79b8ff;
		--pass: #12351f; --pass-text: #7ee2a0; --fail: #5a1a16; --fail-text: #ffb9b0; --crash: #b01d33; --crash-text: #ffffff;
		--hang: #533200; --hang-text: #ffc878; --inconclusive: #463c00; --inconclusive-text: #f2d94e;
		--skip: #262c34; --skip-text: #b6c0ca; --infra: #38245f; --infra-text: #d9c4ff;
		--known: #0e3446; --known-text: #9bdcf7;
	}
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 90rem; background: var(--back); color: var(--text);
	font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
a { color: var(--link); }
nav ul, .tiles { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: .5rem 0; padding: 0; list-style: none; }
.tiles li { padding: .4rem .9rem; border: 1px solid var(--line); border-radius: .4rem; }
.tiles strong { font-size: 1.35rem; }
.muted, .state { color: var(--muted); }
.state { display: block; font-weight: normal; }
.notice { padding: .6rem .9rem; border-left: .3rem solid; background: var(--hang); color: var(--hang-text); }
.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; }
caption { text-align: left; padding: .4rem 0; font-weight: bold; }
th, td { padding: .25rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: normal; }
thead th, .suite > * { background: var(--soft); }
tbody th { font-weight: normal; }
.suite th { font-weight: bold; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.heat td { padding: .15rem; }
.heat .suite td { padding: .25rem .6rem; white-space: nowrap; }
.heat tbody th { position: sticky; left: 0; z-index: 1; background: var(--back); min-width: 8.5rem; max-width: 45vw; overflow-wrap: anywhere; }
.heat .suite th { background: var(--soft); }
.heat .none { color: var(--muted); text-align: center; }
.chip { display: inline-block; padding: .05rem .5rem; border-radius: .25rem; white-space: nowrap; text-decoration: none; }
.heat .chip { display: block; margin: 1px; }
a.chip { text-decoration: underline; }
.v-pass { background: var(--pass); color: var(--pass-text); }
.v-known { background: var(--known); color: var(--known-text); }
.v-fail { background: var(--fail); color: var(--fail-text); font-weight: bold; }
.v-crash { background: var(--crash); color: var(--crash-text); font-weight: bold; }
.v-hang { background: var(--hang); color: var(--hang-text); font-weight: bold; }
.v-inconclusive { background: var(--inconclusive); color: var(--inconclusive-text); font-weight: bold; }
.v-skip { background: var(--skip); color: var(--skip-text); }
.v-infra { background: var(--infra); color: var(--infra-text); font-weight: bold; }
body:has(#only-bad:checked) .good { display: none; }
article { margin: 0 0 1.5rem; padding: .9rem; border: 1px solid var(--line); border-radius: .4rem; }
article:target { outline: .2rem solid var(--link); }
pre, code, .sides { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { margin: .4rem 0; padding: .6rem; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
code { background: var(--soft); padding: .1rem .3rem; }
.sides td { white-space: nowrap; }
.different > * { background: var(--fail); color: var(--fail-text); }
summary { cursor: pointer; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: minmax(6rem, 10rem) minmax(0, 1fr); gap: .5rem; padding: .15rem 0; }
dt { color: var(--muted); }
dd { margin: 0; }
.spark { display: block; overflow: visible; }
.spark line { stroke: var(--line); }
.spark polyline { fill: none; stroke: var(--muted); stroke-width: 1.5; }
.spark circle { fill: var(--link); }
button { margin-left: .5rem; font: inherit; }
@media print {
	:root { color-scheme: light; }
	body { max-width: none; padding: 0; font-size: 9pt; }
	* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
	nav, .control, button { display: none; }
	.scroll { overflow: visible; }
	th, td { overflow-wrap: anywhere; }
	.sides td { white-space: normal; }
	.heat tbody th { position: static; }
	tr, .tiles li { break-inside: avoid; }
	thead { display: table-header-group; }
	h2, h3, caption { break-after: avoid; }
}
`;
