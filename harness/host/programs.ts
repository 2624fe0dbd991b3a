// SPDX-License-Identifier: GPL-2.0
import {execa} from 'execa';
import {isUsableTemporary} from './temporary.ts';

/**
 * What programs of the host see of the person's environment: where programs and homes are, and the way to the network.
 * Everything else could steer a build or change what a program prints: LLVM, ARCH, CROSS_COMPILE, KCFLAGS, MAKEFLAGS,
 * CPATH, GIT_DIR, GREP_OPTIONS, TAR_OPTIONS, XZ_OPT, LANG, ….
 */
const passed = [
	...['PATH', 'HOME', 'USER', 'LOGNAME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR', 'CCACHE_DIR'],
	...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
];

/** The environment of all programs of the host, except of probe-matrix itself. */
export function hostEnvironment(): Readonly<Record<string, string>> {
	const given = passed.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
	const {TMPDIR: temporary} = process.env;
	return {
		...Object.fromEntries(given),
		...(temporary !== undefined && isUsableTemporary(temporary) && {TMPDIR: temporary}),
		// We read what they print.
		LC_ALL: 'C',
	};
}

/** Like execa, for programs of the host: in an environment that is the same on every machine. */
export function programs() {
	return execa({extendEnv: false, env: hostEnvironment()});
}
