// SPDX-License-Identifier: GPL-2.0

/** A function in a line of a report. */
export type Frame = {
	/** `ring_oops+0x7/0x20 [ring]` */
	readonly text: string;
	/** `ring_oops` */
	readonly name: string;
	readonly module?: string;
};

/** A line of a trace: a frame that was certainly called, or the kernel's register RIP. */
export type TraceLine = {
	readonly frame?: Frame;
	/** Found on the stack (`?`); it may be left from a call that has returned. */
	readonly leftover?: Frame;
	readonly isRegister?: true;
	/** RIP points to no function: the call that went there is the frame after it. */
	readonly isNowhere?: true;
	/** `IRQ`, `/IRQ`, `NMI`, `EOI`, … */
	readonly mark?: string;
	/** The line says that another trace begins here. */
	readonly isStart?: true;
};

const place = String.raw`([A-Za-z_][\w.]*)\+(0x[\da-f]+)\/(0x[\da-f]+)(?: \[([\w-]+)(?: [\da-f]+)?\])?`;
const placePattern = new RegExp(place);
const address = String.raw`\[<[\da-f]*>\]`;
const called = new RegExp(
	String.raw`^\s*(?:<+(\/?\w+)>+\s+)?(?:#\d+: *)?(?:${address}\s+)*(\?\s+)?${place}(?:\s+[\w./-]+:\d+)?\s*$`,
);
const marked = /^\s*<+(\/?[A-Z#][\w#]*)>+(?:\s|$)/;
const register = new RegExp(String.raw`\b(?:RIP:?|IP:)\s*(?:0010:|e030:)?\s*(?:${address}\s*)*${place}`);
const nowhere = /\b(?:RIP: 0010:|IP:) *(?:\[<[\da-f]+>\] *)*(?:0x[\da-f]+|\(null\)|[\da-f]{8,16})(?:\s|$)/;
const start = /^\s*(?:Call Trace:|Call trace:|NMI backtrace for cpu)/;

export function readFrame(text: string): Frame | undefined {
	const match = placePattern.exec(text);
	return match ? frameOf(match.slice(1)) : undefined;
}

export function readTraceLine(line: string): TraceLine {
	if (start.test(line)) return {isStart: true};
	const pointer = register.exec(line);
	if (pointer) return {isRegister: true, frame: frameOf(pointer.slice(1))};
	if (nowhere.test(line)) return {isRegister: true, isNowhere: true};
	const match = called.exec(line);
	const mark = match?.[1] ?? marked.exec(line)?.[1];
	if (!match) return mark === undefined ? {} : {mark};
	const frame = frameOf(match.slice(3));
	return {...(match[2] === undefined ? {frame} : {leftover: frame}), ...(mark !== undefined && {mark})};
}

/** From the parts that the pattern of a place has found; what a module's name is followed by is left out. */
function frameOf([name, offset, size, module]: readonly (string | undefined)[]): Frame {
	const text = `${name}+${offset}/${size}${module === undefined ? '' : ` [${module}]`}`;
	return {text, name: name!, ...(module !== undefined && {module})};
}
