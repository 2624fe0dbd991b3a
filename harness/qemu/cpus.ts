// SPDX-License-Identifier: GPL-2.0
/** State of a vCPU, as QEMU prints it. */
export type CpuState = {
	readonly cpu: number;
	readonly rip: bigint;
	readonly rsp: bigint;
	readonly isHalted: boolean;
	readonly hasInterruptsOff: boolean;
	readonly isInUser: boolean;
};

/** Parses `info registers -a`. */
export function parseCpus(text: string): readonly CpuState[] {
	return text.split(/^CPU#/m).flatMap(part => {
		const cpu = /^(\d+)/.exec(part)?.[1];
		const [rip, rsp, flags] = ['RIP', 'RSP', 'RFL'].map(name => new RegExp(`\\b${name}=([0-9a-f]+)`).exec(part)?.[1]);
		if (cpu === undefined || rip === undefined || rsp === undefined || flags === undefined) return [];
		return {
			cpu: Number(cpu),
			rip: BigInt(`0x${rip}`),
			rsp: BigInt(`0x${rsp}`),
			isHalted: /\bHLT=1/.test(part),
			hasInterruptsOff: (Number.parseInt(flags, 16) & 0x200) === 0,
			isInUser: /\bCPL=3/.test(part),
		};
	});
}

/** Parses the values of `x /NNgx`; empty where the memory cannot be read. */
export function parseWords(text: string): readonly bigint[] {
	return text
		.split('\n')
		.flatMap(line => [...line.replace(/^[^:]*:/, '').matchAll(/0x([0-9a-f]{16})\b/g)])
		.map(([, digits]) => BigInt(`0x${digits}`));
}
