// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Feature} from '../case.ts';
import {fentry, fexit, kprobe, kprobeMulti, kretprobe} from './kernel-mechanisms.ts';

const all = [kprobe, kretprobe, kprobeMulti, fentry, fexit] as const;

/** A kernel with these options, or with all. */
const kernel = (release: string, options?: readonly string[]) => ({
	release,
	hasOption: (name: string) => options?.includes(name) ?? true,
});

const notrace = 'CONFIG_KPROBE_EVENTS_ON_NOTRACE';

for (const mechanism of [kprobe, kretprobe]) {
	test(`${mechanism.id} probes functions without a __fentry__ site, unless the kernel has an option for it that is off`, t => {
		const missing = (release: string, options: readonly string[], features: readonly Feature[] = ['without-fentry']) =>
			mechanism.missing!(kernel(release, options), features);
		const events = 'CONFIG_KPROBE_EVENTS';
		for (const release of ['4.1.0', '4.15.18', '4.18.20']) t.is(missing(release, [events]), undefined, release);
		for (const release of ['4.19.0', '4.19.300', '5.10.0-1-cloud-amd64', '6.1.0']) {
			t.is(
				missing(release, [events]),
				`This kernel was built without ${notrace}, which kprobe events on functions without a __fentry__ site need.`,
				release,
			);
			t.is(missing(release, [events, notrace]), undefined, release);
			t.is(missing(release, [events], ['entry']), undefined, `${release}, not needed`);
		}
		t.is(missing('4.0.9', [events]), 'Linux has eBPF programs on kprobes since 4.1.');
	});
}

for (const [mechanism, option, since, before] of [
	[kprobe, 'CONFIG_KPROBE_EVENTS', '4.1.0', '4.0.9'],
	[kretprobe, 'CONFIG_KPROBE_EVENTS', '4.1.0', '4.0.9'],
	[kprobeMulti, 'CONFIG_FPROBE', '5.18.0', '5.17.15'],
	[fentry, 'CONFIG_DEBUG_INFO_BTF', '5.5.0', '5.4.290'],
	[fexit, 'CONFIG_DEBUG_INFO_BTF', '5.5.0', '5.4.290'],
] as const) {
	test(`${mechanism.id} needs ${option} and Linux ${since}`, t => {
		t.is(mechanism.missing!(kernel(since, [option]), []), undefined);
		t.regex(
			mechanism.missing!(kernel(since, []), []) ?? '',
			new RegExp(`^This kernel was built without ${option}, which .* need\\.$`),
		);
		t.regex(mechanism.missing!(kernel(before), []) ?? '', /^Linux has .* since \d+\.\d+\.$/);
	});
}

test('a feature that came later is missing before, if it is needed, and only on the mechanisms that it came to', t => {
	const firstOf = (feature: Feature) =>
		all.map(mechanism =>
			['5.18', '6.0', '6.6', '6.7', '6.10'].find(
				release => mechanism.missing!(kernel(`${release}.0`), [feature]) === undefined,
			),
		);
	t.deepEqual(firstOf('entry'), ['5.18', '5.18', '5.18', '5.18', '5.18']);
	t.deepEqual(firstOf('cookies'), ['5.18', '5.18', '5.18', '6.0', '6.0']);
	t.deepEqual(firstOf('eight-arguments'), ['5.18', '5.18', '5.18', '6.6', '6.6']);
	t.deepEqual(firstOf('misses'), ['6.7', '6.7', '6.7', '5.18', '5.18']);
	t.deepEqual(firstOf('session'), ['5.18', '5.18', '6.10', '5.18', '5.18']);
	t.is(kprobe.missing!(kernel('5.14.21'), ['cookies']), 'Linux has cookies of programs on perf events since 5.15.');
	t.is(kretprobe.missing!(kernel('4.11.12'), ['maxactive']), 'Linux has a maxactive in kprobe_events since 4.12.');
	t.is(kretprobe.missing!(kernel('4.12.0'), ['maxactive']), undefined);
	t.is(kretprobe.missing!(kernel('4.11.12'), ['return']), undefined);
	t.is(fentry.missing!(kernel('5.10.0'), ['modules']), 'Linux has BTF of modules since 5.11.');
	t.is(
		fexit.missing!(kernel('5.11.0', ['CONFIG_DEBUG_INFO_BTF']), ['modules']),
		'This kernel was built without CONFIG_DEBUG_INFO_BTF_MODULES, which BTF of modules need.',
	);
});
