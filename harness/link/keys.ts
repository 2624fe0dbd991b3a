// SPDX-License-Identifier: GPL-2.0
import {generateKeyPairSync, randomBytes} from 'node:crypto';

/** In OpenSSH's formats. `bytes` are seed and public key, 32 bytes each. */
export type KeyPair = {readonly private: string; readonly public: string; readonly bytes: Buffer};

/** The keys of one guest: ours as the client, and the guest's host key. */
export type RunKeys = {readonly client: KeyPair; readonly host: KeyPair};

/** Creates new keys, which are kept in memory only. */
export function createRunKeys(): RunKeys {
	return {client: createKeyPair(), host: createKeyPair()};
}

/** An Ed25519 key. Not made by ssh2, whose keys cannot be parsed 1 time in 256 (mscdex/ssh2#1390). */
export function createKeyPair(): KeyPair {
	const {d, x} = generateKeyPairSync('ed25519').privateKey.export({format: 'jwk'});
	const publicBytes = Buffer.from(x!, 'base64url');
	const bytes = Buffer.concat([Buffer.from(d!, 'base64url'), publicBytes]);
	const blob = Buffer.concat([field(keyType), field(publicBytes)]);
	return {
		private: pem(Buffer.concat([header, field(blob), field(padded(privatePart(publicBytes, bytes)))])),
		public: `${keyType} ${blob.toString('base64')}`,
		bytes,
	};
}

/** The private key in dropbear's format: "ssh-ed25519", then seed and public key as one string. */
export function toDropbear({bytes}: KeyPair): Buffer {
	return Buffer.concat([field(keyType), field(bytes)]);
}

const keyType = 'ssh-ed25519';

/** See OpenSSH's PROTOCOL.key: no cipher, no key derivation, one key. */
const header = Buffer.concat([Buffer.from('openssh-key-v1\0'), field('none'), field('none'), field(''), uint32(1)]);

function privatePart(publicBytes: Buffer, bytes: Buffer): Buffer {
	// The same number twice; a reader compares both to check the passphrase.
	const check = randomBytes(4);
	return Buffer.concat([check, check, field(keyType), field(publicBytes), field(bytes), field('')]);
}

/** Pads to blocks of 8 bytes with 1, 2, 3 … */
function padded(part: Buffer): Buffer {
	const missing = (8 - (part.length % 8)) % 8;
	return Buffer.concat([part, Buffer.from(Array.from({length: missing}, (_, index) => index + 1))]);
}

function pem(bytes: Buffer): string {
	const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
	return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

function field(data: Buffer | string): Buffer {
	const bytes = Buffer.from(data);
	return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}
