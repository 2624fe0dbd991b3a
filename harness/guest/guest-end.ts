// SPDX-License-Identifier: GPL-2.0
import type {QemuEnd} from '../qemu/qemu-process.ts';
import type {GuestEnd} from './guest.ts';

/** Evidence of how a guest ended: the reason in QEMU's SHUTDOWN event, and its reset log. */
export type EndTraces = {readonly shutdownReason?: string; readonly log: string};

/** The verdict on a guest whose QEMU has ended. Guests run with `-no-reboot`, so a reset ends QEMU like a power-off. */
export function describeEnd({code, signal, stderr}: QemuEnd, {shutdownReason, log}: EndTraces): GuestEnd {
	const isTripleFault = log.includes('Triple fault');
	if (shutdownReason === 'guest-reset') {
		const how = isTripleFault ? 'died of a triple fault' : 'reset itself';
		return {verdict: 'crash', message: `The guest ${how}.`};
	}
	if (shutdownReason === 'guest-shutdown') return {verdict: 'crash', message: 'The guest powered off.'};
	if (shutdownReason === 'host-signal')
		return {verdict: 'infra', message: `QEMU was terminated by a signal. ${stderr}`.trim()};
	if (signal !== undefined) return {verdict: 'infra', message: `QEMU was killed by ${signal}. ${stderr}`.trim()};
	return {verdict: 'infra', message: `QEMU exited with ${code ?? 'no code'} on its own. ${stderr}`.trim()};
}
