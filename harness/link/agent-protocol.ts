// SPDX-License-Identifier: GPL-2.0
/**
 * The protocol between the harness and the guest's test agent (guest/agent): one JSON object per line. A request
 * `{id, op, …}` is answered by `{id, ok: …}` or `{id, error: {errno, message}}`, with the errno as a name (`EINVAL`).
 *
 * Registers, addresses, times and other 64-bit values are hexadecimal strings with `0x`; counts are numbers.
 */

export type Hex = `0x${string}`;

/**
 * The operations of every agent: request fields → answer. Unless stated otherwise, an operation fails with the errno of
 * its system call. A suite with an agent of its own adds operations.
 */
// An interface, because suites extend it.
export interface AgentOps {
	hello: {in: {}; out: {release: string; pid: number; cpus: number}};
	/** CLOCK_MONOTONIC. */
	clock: {in: {}; out: {nowNs: Hex}};
	/** Replaces the agent by executing another program after this answer; that program answers all further requests. */
	become: {in: {path: string}; out: {}};
	/**
	 * Writes files of /proc and /sys. Missing files are skipped, and so is a setting whose third part names a missing
	 * file. Answers with the addresses of the code of `modules`, `0x0` for one that is not loaded.
	 */
	prepare: {
		in: {settings: readonly (readonly [file: string, value: string, beside?: string])[]; modules: readonly string[]};
		out: {bases: Readonly<Record<string, Hex>>};
	};
	/** finit_module of /lib/probe-matrix/NAME.ko, delete_module. The agent closes its own device descriptors first. */
	insmod: {in: {module: string; parameters?: string}; out: {}};
	rmmod: {in: {module: string}; out: {}};
	/**
	 * Writes `probe-matrix: TEXT` to the kernel log and answers with /proc/sys/kernel/tainted and sentences about what is
	 * left in the guest, such as probes that are still attached; none if it is clean.
	 */
	mark: {in: {text: string}; out: {taint: number; left: readonly string[]}};
}
