import ssh2, {type ParsedKey} from 'ssh2';
import {GuestError} from '../host/errors.ts';

export type KeyPair = {readonly private: string; readonly public: string};

/** The keys of one run: who we are to the guest, who the guest is to us. */
export type RunKeys = {readonly client: KeyPair; readonly host: KeyPair};

const {utils} = ssh2;

/** New ones, which are kept in memory only. Throws GuestError. */
export async function createRunKeys(): Promise<RunKeys> {
	const [client, host] = await Promise.all([createKeyPair(), createKeyPair()]);
	return {client, host};
}

/** ssh2 makes an Ed25519 key that nothing can parse 1 time in 256 (mscdex/ssh2#1390): made until it is whole. */
export async function createKeyPair(
	make: () => KeyPair | Promise<KeyPair> = () => utils.generateKeyPairSync('ed25519'),
): Promise<KeyPair> {
	for (let attempt = 0; attempt < 16; attempt += 1) {
		const pair = await make();
		if (isWhole(pair)) return {private: pair.private, public: pair.public};
	}
	throw new GuestError('ssh2 made 16 broken Ed25519 keys in a row.');
}

/** One key in the form of OpenSSH, private or public. Throws the Error of ssh2 where it is none. */
export function parseKey(text: string): ParsedKey {
	const parsed = utils.parseKey(text);
	if (parsed instanceof Error) throw parsed;
	// An Ed25519 file of OpenSSH holds one key.
	return parsed;
}

function isWhole(pair: KeyPair): boolean {
	try {
		const key = parseKey(pair.private);
		const signature = key.sign('probe');
		const isPair = Buffer.isBuffer(signature) && parseKey(pair.public).verify('probe', signature) === true;
		return isPair && key.getPublicSSH().subarray(-32).equals(ed25519Bytes(pair.private).subarray(32));
	} catch {
		// Broken: exactly what is asked.
		return false;
	}
}

/** The private key in dropbear's own format: "ssh-ed25519", then seed and public key as one string. */
export function toDropbear(pair: KeyPair): Buffer {
	const seedAndPublic = ed25519Bytes(pair.private);
	const name = Buffer.from('ssh-ed25519');
	return Buffer.concat([lengthOf(name), name, lengthOf(seedAndPublic), seedAndPublic]);
}

/** The 64 bytes of an unencrypted openssh-key-v1 file: the last string of that length in it. */
function ed25519Bytes(privateKey: string): Buffer {
	const bytes = Buffer.from(privateKey.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
	const at = bytes.lastIndexOf(Buffer.from([0, 0, 0, 64]));
	return bytes.subarray(at + 4, at + 68);
}

function lengthOf(data: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(data.length);
	return length;
}
