// SPDX-License-Identifier: GPL-2.0

/** Does `work`, then `tidy`, whatever came of it. If both fail, the failure of `work` counts: it may be why `tidy` fails. */
export async function tidily<T>(work: () => Promise<T>, tidy: () => Promise<unknown>): Promise<T> {
	const [end] = await Promise.allSettled([work()]);
	const [tidied] = await Promise.allSettled([tidy()]);
	if (end.status === 'rejected') throw end.reason;
	if (tidied.status === 'rejected') throw tidied.reason;
	return end.value;
}
