// SPDX-License-Identifier: GPL-2.0
import type {Hex} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {attachBytes, attachCommand} from './attach-request.ts';
import {input} from './calls.ts';
import {hex, onlyHits} from './registers.ts';

/** Symbols that are not functions or must not be probed, by kind; kernels from 4.15 to 7.x use these names. */
const noFunctions: Readonly<Record<string, readonly string[]>> = {
	'ftrace trampolines': [
		'__fentry__',
		'ftrace_caller',
		'ftrace_regs_caller',
		'ftrace_stub',
		'ftrace_call',
		'ftrace_regs_call',
		'ftrace_graph_caller',
	],
	'return trampolines': [
		'return_to_handler',
		'kretprobe_trampoline',
		'__kretprobe_trampoline',
		'arch_rethook_trampoline',
		'ret_from_fork_asm',
	],
	'entry code': [
		'entry_SYSCALL_64',
		'entry_SYSCALL_64_after_hwframe',
		'common_interrupt_return',
		'native_iret',
		'error_entry',
		'paranoid_entry',
		'asm_exc_page_fault',
		'page_fault',
		'apic_timer_interrupt',
		'asm_sysvec_apic_timer_interrupt',
	],
	'code without a task stack': [
		'startup_64',
		'secondary_startup_64',
		'verify_cpu',
		'sev_verify_cbit',
		'__startup_secondary_64',
		'early_setup_idt',
		'set_bringup_idt_handler.constprop.0',
		'start_cpu0',
		'rewind_stack_and_make_dead',
	],
	'what leaves its stack, or walks it': [
		'cpu_startup_entry',
		'do_idle',
		'arch_cpu_idle_dead',
		'native_play_dead',
		'mwait_play_dead',
		'hlt_play_dead',
		'bpf_throw',
		'arch_bpf_stack_walk',
	],
	'context switches': ['__switch_to', '__switch_to_asm'],
	thunks: [
		'__x86_indirect_thunk_rax',
		'__x86_return_thunk',
		'srso_alias_safe_ret',
		'srso_return_thunk',
		'retbleed_return_thunk',
		'its_return_thunk',
		'call_depth_return_thunk',
		'__SCT__cond_resched',
	],
	// A CPU that comes up calls cc_platform_has before it can handle a breakpoint.
	'code closed to tracers': ['cc_platform_has', 'native_sched_clock', 'memcpy', '__memcpy'],
	// They have a site for tracers.
	'code closed to kprobes': ['notify_die', 'oops_end'],
	'init code': ['start_kernel', 'x86_64_start_kernel'],
	data: ['jiffies_64', 'init_task', 'sys_call_table'],
	'labels and templates': [
		'optprobe_template_entry',
		'optprobe_template_call',
		'start__mov64',
		'__pfx_do_exit',
		'__pfx_schedule',
		'__pfx_fx_c',
	],
};

/** What these names are refused for; others are refused for one reason or another, depending on the kernel. */
const reasons: Readonly<Record<string, RegExp>> = {
	ftrace_caller: /^the kernel (keeps tracers out of it|forbids it)/,
	__switch_to: /^it returns in another task$/,
	notify_die: /^the kernel forbids it$/,
	__pfx_fx_c: /^it is a part of a function$/,
};

/** The errno of an attach without a program, which never attaches. EBADF means that all other checks passed. */
async function answerFor(context: CaseContext, point: number, address: Hex): Promise<string> {
	const data = attachBytes({fd: -1, point, address: BigInt(address)});
	try {
		await context.ask('ioctl', {on: 'device', command: attachCommand, data});
		return 'ok';
	} catch (error) {
		return (error as {errno?: string}).errno ?? 'no errno';
	}
}

export const noFunctionCases = [
	defineCase({
		id: 'module/rejects-what-is-no-function',
		needs: ['device'],
		deadlineMs: 30_000,
		async run(context) {
			const names = Object.values(noFunctions).flat();
			const addresses: Record<string, readonly Hex[]> = {...(await context.ask('symbols', {names})).addresses};
			// The agent finds only functions.
			const {stdout: data} = await context.exec(
				`grep -F ${noFunctions.data!.map(name => `-e ' ${name}'`).join(' ')} /proc/kallsyms`,
			);
			for (const [, address, name] of data.matchAll(/^([\da-f]+) \w (\S+)$/gm))
				if (noFunctions.data!.includes(name!)) addresses[name!] = [`0x${address!}`];
			const found: Record<string, number> = {};
			const wrong: string[] = [];
			for (const [kind, names] of Object.entries(noFunctions)) {
				const here = names.flatMap(name => (addresses[name] ?? []).map(address => ({name, address})));
				found[kind] = here.length;
				for (const {name, address} of here) {
					for (const point of [0, 1]) {
						const answer = await answerFor(context, point, address);
						if (answer !== 'EOPNOTSUPP') wrong.push(`${name}: ${answer}`);
					}
				}
			}
			context.evidence('found', found);
			assert.deepEqual(wrong, [], 'functions that are not refused with EOPNOTSUPP');
			for (const kind of ['ftrace trampolines', 'return trampolines', 'entry code', 'init code'])
				assert.notEqual(found[kind], 0, `this kernel has none of ${kind}`);
			for (const [name, reason] of Object.entries(reasons)) {
				const here = addresses[name] ?? [];
				assert.ok(here.length > 0 || name.startsWith('__pfx_'), `this kernel has no ${name}`);
				for (const why of (await context.ask('check', {addresses: here})).reasons)
					assert.match(why, reason, `why ${name} is refused`);
			}

			const {stdout: symbols} = await context.exec("grep -F '[bprobe]' /proc/kallsyms");
			const own = [...symbols.matchAll(/^([\da-f]+) [tT] /gm)].map(([, address]) => `0x${address!}` as const);
			assert.ok(own.length > 50, 'functions of bprobe');
			const whyOwn = new Set((await context.ask('check', {addresses: own})).reasons);
			assert.deepEqual([...whyOwn], ["it is bprobe's own"], 'why functions of bprobe are refused');
			for (const address of own.slice(0, 5))
				assert.equal(await answerFor(context, 1, address), 'EOPNOTSUPP', 'the answer for a function of bprobe');
		},
	}),
	defineCase({
		id: 'module/rejects-fragments',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			const {stdout} = await context.exec('grep -F .cold /proc/kallsyms');
			const fragments = [...stdout.matchAll(/^([\da-f]+) [tT] (\S+\.cold(?:\.\d+)?)(?:\s|$)/gm)];
			assert.ok(
				fragments.some(([, , name]) => name === 'fx_copy.part.0.cold'),
				'the kernel has a fragment of the fixtures',
			);
			const at = fragments.map(([, address]) => `0x${address!}` as const);
			const {reasons} = await context.ask('check', {addresses: at});
			const wrong = fragments.flatMap(([, , name], n) =>
				/part of a function|bprobe's own/.test(reasons[n]!) ? [] : `${name}: ${reasons[n]}`,
			);
			for (const address of at.slice(0, 50)) assert.equal(await answerFor(context, 1, address), 'EOPNOTSUPP', address);
			context.evidence('fragments', fragments.length);
			assert.deepEqual(wrong, [], 'fragments that are not refused as such');
			// This runs some of the fragments.
			await context.exec('echo h > /proc/sysrq-trigger');
		},
	}),
	defineCase({
		id: 'module/rejects-labels-of-modules',
		needs: ['device'],
		deadlineMs: 10_000,
		async run(context) {
			const {stdout} = await context.exec("grep -F '[fixtures]' /proc/kallsyms");
			const addressOf = (name: string): Hex => {
				const [, address] = new RegExp(`^([\\da-f]+) [tT] ${name}\\s`, 'm').exec(stdout) ?? [];
				assert.ok(address !== undefined, `the fixtures have a symbol ${name}`);
				return `0x${address}`;
			};
			for (const [name, reason] of [
				['label_within', 'it is a label: its symbol has no size'],
				['__SCT__fixture', 'it is a static call, which the kernel rewrites'],
			] as const) {
				const address = addressOf(name);
				const {reasons: why} = await context.ask('check', {addresses: [address]});
				assert.deepEqual(why, [reason], `why ${name} is refused`);
				for (const point of [0, 1]) assert.equal(await answerFor(context, point, address), 'EOPNOTSUPP', name);
			}
			// A function without a site, which has a size.
			const {reasons: none} = await context.ask('check', {addresses: [addressOf('label_around'), addressOf('fx_asm')]});
			assert.deepEqual(none, ['', ''], 'why functions of assembly are refused');
		},
	}),
	defineCase({
		id: 'module/rejects-a-module-that-comes',
		needs: ['device'],
		deadlineMs: 40_000,
		async run(context) {
			const parameter = '/sys/module/fixtures/parameters/init_waits';
			const attach = (symbol: string) =>
				context.exec(
					`while ! [ -e ${parameter} ]; do sleep 0.01; done; bprobectl trace ${symbol} --count 1; code=$?; echo N > ${parameter}; exit $code`,
				);
			for (const [symbol, words] of [
				['fx_c', /busy/i],
				['fx_init', /cannot be probed/],
			] as const) {
				await context.ask('rmmod', {module: 'fixtures'});
				// Its init fails. The kernel then frees the module even if something holds a reference.
				const loaded = context.ask('insmod', {module: 'fixtures', parameters: 'init_waits=1 init_fails=1'}).then(
					() => 'ok',
					(error: {errno?: string}) => error.errno,
				);
				const {code, stderr} = await attach(symbol);
				assert.equal(await loaded, 'ECANCELED', 'how the load of the module ended');
				await context.ask('insmod', {module: 'fixtures'});
				assert.notEqual(code, 0, 'the exit status of bprobectl');
				assert.match(stderr, words, symbol);
			}
			assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m, 'probes left in the listing');
		},
	}),
	defineCase({
		id: 'module/rejects-a-module-that-goes',
		needs: ['device'],
		deadlineMs: 20_000,
		async run(context) {
			const parameter = '/sys/module/fixtures/parameters/exit_waits';
			await context.ask('rmmod', {module: 'fixtures'});
			await context.ask('insmod', {module: 'fixtures', parameters: 'exit_waits=1'});
			const unloaded = context.ask('rmmod', {module: 'fixtures'});
			const {code, stdout, stderr} = await context.exec(
				`while ! grep -q '^fixtures .* Unloading' /proc/modules; do sleep 0.01; done
				timeout 3 bprobectl trace fx_c --count 1; code=$?; echo N > ${parameter}; exit $code`,
			);
			await unloaded;
			await context.ask('insmod', {module: 'fixtures'});
			assert.equal(code, 1, `the exit status of bprobectl, which said ${stdout}${stderr}`);
			assert.match(stderr, /No such file or directory|no function/i, 'why a function of a module that goes is refused');
			assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m, 'probes left in the listing');
		},
	}),
	...(['entry', 'return'] as const).map(point =>
		defineCase({
			id: `${point}/shapes-of-symbols`,
			needs: [point, 'device'],
			deadlineMs: 20_000,
			async run(context) {
				for (const symbol of [
					'fx_bare',
					'fx_bare_alias',
					'fx_weak',
					'fx_copy.constprop.0',
					'fx_copy.isra.0',
					'fx_copy.part.0',
				]) {
					const prog = await context.load('count');
					const {probe} = await context.ask('attach', {prog, point, symbol});
					const address = await context.address(symbol);
					const {after} = await context.call({target: 'address', address, in: {...input, di: '0x6'}});
					assert.equal(after.ax, hex(7), symbol);
					const info = await context.ask('info', {probe});
					onlyHits({...info, of: `the probe of ${symbol}`}, 1);
					assert.equal(info.address, address, 'the address of the probe');
					await context.ask('close', {probe});
				}
			},
		}),
	),
];
