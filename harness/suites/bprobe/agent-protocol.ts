// SPDX-License-Identifier: GPL-2.0
import type {Hex} from '../../link/agent-protocol.ts';

export type {AgentOps, Hex} from '../../link/agent-protocol.ts';

/** Registers in the order of struct fx_regs (fixtures/fixtures.h), including `sp` and `flags`. */
export type Registers = Readonly<Record<(typeof registerNames)[number], Hex>>;
export const registerNames = [
	'r15',
	'r14',
	'r13',
	'r12',
	'bp',
	'bx',
	'r11',
	'r10',
	'r9',
	'r8',
	'ax',
	'cx',
	'dx',
	'si',
	'di',
	'flags',
	'sp',
] as const;

/** struct pt_regs as a program saw it. */
export type ProgramRegisters = Registers & Readonly<Record<'orig_ax' | 'ip' | 'cs' | 'ss', Hex>>;

export type Point = 'entry' | 'return';
export type TargetName = 'asm' | 'asm-fentry' | 'c' | 'tail' | 'tail-fentry' | 'address';
/** `bhOff`: a task that has bottom halves off. */
export type Context = 'task' | 'kthread' | 'softirq' | 'hardirq' | 'bhOff';
/** `wait` sleeps until `release`, `run` runs until then. */
export type Action = 'nothing' | 'sleep' | 'wait' | 'recurse' | 'exit' | 'bypass' | 'run';

/** Missing fields are 0. The answer repeats all fields of struct fx_call, in and out. */
export type Call = {
	readonly target?: TargetName;
	readonly context?: Context;
	readonly action?: Action;
	readonly arg?: number;
	readonly clobberStack?: boolean;
	readonly traceStack?: boolean;
	/** The return address is in the last 64 bytes of a page, so the words above it are in two pages. */
	readonly atPageEnd?: boolean;
	readonly depth?: number;
	readonly address?: Hex;
	readonly stack?: readonly [Hex, Hex];
	readonly in?: Partial<Registers>;
	readonly ret?: Partial<Registers>;
};
export type CallResult = {
	readonly stack: readonly [Hex, Hex];
	/** As loaded: with frame pointers, `bp` of `in` and `ret` is the frame of the caller. */
	readonly in: Registers;
	readonly ret: Registers;
	readonly seen: Registers;
	readonly seenStack: readonly [Hex, Hex];
	/** What the target left where these arguments were. */
	readonly leftStack: readonly [Hex, Hex];
	readonly after: Registers;
	readonly sp: Hex;
	readonly caller: Hex;
	readonly function: Hex;
	readonly beginNs: Hex;
	readonly endNs: Hex;
	readonly cpuBefore: number;
	readonly cpuAfter: number;
	readonly trace: readonly Hex[];
	/** The task that made the call. */
	readonly pid: number;
};

/** One run of the program `record`. */
export type ProgramEvent = {
	readonly sequence: number;
	readonly timeNs: Hex;
	readonly cpu: number;
	readonly pid: number;
	readonly tid: number;
	readonly regs: ProgramRegisters;
	/** *(u64 *)regs.sp, read with bpf_probe_read. */
	readonly slot: Hex;
	/** The rest is 0 as far as the mechanism does not tell it. Of bprobe it is the extension block. */
	readonly cookie: Hex;
	readonly function: Hex;
	readonly caller: Hex;
	/** The registers at the function's entry. */
	readonly entry: ProgramRegisters;
	/** The words above the return address at the entry. */
	readonly stack: readonly Hex[];
	/** From bpf_get_stackid, innermost first; the name of the errno if that failed. */
	readonly callStack: readonly Hex[] | string;
};

/** What every mechanism tells of a probe. */
export type ProbeInfo = {
	readonly hits: number;
	/** Empty if it does not count them. */
	readonly misses: Readonly<Record<string, number>>;
};

/** What bprobe tells of a probe. */
export type BprobeInfo = ProbeInfo & {
	readonly point: Point;
	readonly address: Hex;
	readonly cookie: Hex;
	readonly progId: number;
	readonly hook: 'ftrace' | 'kprobe';
	readonly misses: Readonly<Record<'recursion' | 'nmi' | 'noRcu' | 'noFrame' | 'bpfBusy' | 'kprobe', number>>;
	readonly symbol: string;
};

export type LoopReport = {
	readonly done: number;
	readonly bad: number;
	readonly firstNs: Hex;
	readonly lastNs: Hex;
	readonly firstBad?: CallResult;
};

/** A program that a churn job attaches: a handle from `load`, or by a mechanism of the kernel. */
export type Churned =
	| {readonly prog: number}
	| {readonly mechanism: HookMechanism; readonly program: ProgramName; readonly cookies: boolean};

export type HookMechanism = 'kprobe' | 'kprobe-multi' | 'kprobe-session' | 'tracing';

export type FunctionList = ({readonly addresses: readonly Hex[]} | {readonly symbols: readonly string[]}) & {
	readonly firstCookie?: number;
};

/** The report of a job that attaches and closes repeatedly. */
export type ChurnReport = {
	readonly rounds: number;
	/** Attaches plus closes. */
	readonly changes: number;
	/** Changes with calls of the target before, during and after them, by the fixtures' counters. */
	readonly overlapped: number;
	/** Runs of the program while attached, in all rounds. */
	readonly hits: number;
	/** Misses of bprobe for other reasons than `bpfBusy` (not counted where the owner is killed). */
	readonly misses: number;
	/**
	 * Misses by `bpfBusy`: the kernel runs no program on a CPU that is inside bpf(2), as the agent is when it reads
	 * maps.
	 */
	readonly busy: number;
	/** Rounds whose counter still changed after close had returned. */
	readonly lateRounds: number;
	/** Rounds in which the target was called while attached, but the program neither ran nor counted a miss. */
	readonly deafRounds: number;
	/** The same, but the program started to run later although the probe was not changed. */
	readonly staleRounds: number;
	/** Calls that ended while the agent waited for that. */
	readonly unheard: number;
	/** Errors by name: `{"attach EBUSY": 3}`. */
	readonly errors: Readonly<Record<string, number>>;
};

export type ProgramName =
	| 'record' // everything of ProgramEvent, into a map of 4096 events
	| 'count' // adds 1 to counter[cookie % 1024]
	| 'empty' // returns 0: for measuring
	| 'read_all' // reads all that it is given, and keeps nothing: for measuring
	| 'verify_entry' // checks every register of FX_IOC_LOOP's patterns; counter[cookie] good, bad[cookie] wrong
	| 'verify_return' // same at return; also that `entry` holds the entry pattern of the same call
	| 'slow' // runs for about a millisecond, then stores the time in last[cookie] and counts
	| 'faulting' // bpf_probe_read of an unmapped address; stores its result in result[cookie]
	| 'touch_map' // bpf_map_update_elem on a hash map: calls kernel code that may be probed
	| 'tail_call' // only calls the program `next`
	| 'asks' // result[0] is what bpf_get_attach_cookie() returned, plus 1 (Linux 5.15)
	| 'cast' // result[0] is the function that the extension block names, read without a helper (Linux 6.2)
	| 'read_ax' // result[0] is ax, read without a helper
	| 'read_r15' // result[0] is r15, likewise
	| 'session'; // of kprobe-multi: `record` at entry and return, unless the first argument is odd; entry.di is carried

declare module '../../link/agent-protocol.ts' {
	/** The operations that guest/agent adds. Unless stated otherwise, one fails with the errno of its system call. */
	interface AgentOps {
		/**
		 * Loads a C program by name (libbpf), or instructions as hexadecimal bytes through bpf(2). `next` is what
		 * `tail_call` calls, until `reset`.
		 */
		load: {
			in:
				| {program: ProgramName; next?: number}
				| {instructions: string; license: string; type: 'kprobe' | 'socket' | 'sleepable' | 'kprobe-multi'};
			out: {prog: number; progId: number};
		};
		unload: {in: {prog: number}; out: {}};
		/** Whether the program id still exists, as for `bpftool prog show id`. */
		progExists: {in: {progId: number}; out: {exists: boolean}};
		/** Attaches a probe through libbprobe. `prog` comes from `load`. */
		attach: {
			in: {prog: number; point: Point; cookie?: number; notInInterrupt?: boolean} & ({symbol: string} | {address: Hex});
			out: {probe: number};
		};
		/** Closes the probe; `closedNs` is CLOCK_MONOTONIC after close(2) returned. */
		close: {in: {probe: number}; out: {closedNs: Hex}};
		info: {in: {probe: number}; out: BprobeInfo};
		/**
		 * Attaches a copy of a program by a mechanism of the kernel, through libbpf, to functions: by one link to all, where
		 * the mechanism can. With `most`, it leaves out those that cannot be attached to, until it has as many.
		 */
		hook: {
			in: {
				mechanism: HookMechanism;
				program: ProgramName;
				point: Point;
				cookie: number;
				/** Programs ask the kernel for their cookie. Without, each copy has a map that says it. */
				cookies?: boolean;
				/** The program of this hook, not a copy. Needs cookies. */
				sharing?: number;
				/** Of a kretprobe, by an event of tracefs. */
				maxactive?: number;
			} & ({address: Hex} | {addresses: readonly Hex[]; most?: number});
			out: {hook: number; links: number; tookNs: Hex};
		};
		/** Traces a function by an ftrace_ops of the fixtures; with `keeps`, each hit becomes an event. */
		trace: {in: {address: Hex; cookie: number; keeps: boolean}; out: {}};
		untrace: {in: {cookie: number}; out: {closedNs: Hex}};
		traced: {in: {cookie: number}; out: {hits: number}};
		/** `closedNs` is CLOCK_MONOTONIC after the links were destroyed. */
		unhook: {in: {hook: number}; out: {closedNs: Hex; tookNs: Hex}};
		/** As far as the kernel counts them: when a program was not run, and when the mechanism did not come so far. */
		hookMisses: {in: {hook: number}; out: {byProgram: number; byLink: number}};
		/** Why the function at each address may not be probed, empty if it may; an errno where no function begins. */
		check: {in: {addresses: readonly Hex[]}; out: {reasons: readonly string[]}};
		/**
		 * Addresses of functions that may be probed and whose names match a shell pattern: all of them, or at most `max`.
		 */
		match: {in: {pattern: string; max?: number}; out: {addresses: readonly Hex[]}};
		/**
		 * Attaches one probe to many functions, with cookies from `firstCookie` (default: 0). A failure is an answer with
		 * `errno` and `failed`: the index of the function at fault, or the number of functions if none is.
		 */
		attachList: {
			in: FunctionList & {prog: number; point: Point; notInInterrupt?: boolean};
			out: {probe: number; tookNs: Hex} | {probe?: undefined; errno: string; failed: number; tookNs: Hex};
		};
		/** Hits, misses and cookie of each function of a probe, in the order in which they were given, and their addresses. */
		infoList: {
			in: {probe: number};
			out: {counts: readonly (readonly [hits: number, misses: number, cookie: number])[]; addresses: readonly Hex[]};
		};
		/**
		 * Forks a child that attaches and holds probes until it is killed: a descriptor for each of the first `singly`
		 * functions (needs addresses), and if these are not all of them, then one for all.
		 */
		holdInTask: {in: FunctionList & {prog: number; point: Point; singly: number}; out: {task: number}};
		/**
		 * Random ioctls on the device, on probes and on other files, by `processes` in parallel, some of which are killed,
		 * until `calls` have been made. `wrong` is the first answer that bprobe.h does not allow, or empty.
		 */
		fuzz: {
			in: {prog: number; calls: number; processes: number; seed: number; as: 'root' | 'noSysAdmin' | 'userNamespace'};
			out: {calls: number; attached: number; killed: number; wrong: string; errors: Readonly<Record<string, number>>};
		};
		/**
		 * Attaches, or loads bprobe, while the first allocation fails, then the second, and so on, until none is left or
		 * thirty failures in a row had no effect. Allocations are those of the agent; when loading, those that bprobe makes
		 * for the agent, or also those of the kernel that bprobe calls. What succeeded is undone. `ends` has an errno for
		 * each round, ENODATA if the first function is one of fx_many_… and its call is no hit, or ''. EOPNOTSUPP: the
		 * kernel does not support it.
		 */
		failing: {
			in:
				| ({what: 'attach'; prog: number; point: Point} & ({addresses: readonly Hex[]} | {symbols: readonly string[]}))
				| {what: 'insmod' | 'insmod and what it calls'};
			out: {ends: readonly string[]};
		};
		/**
		 * Attaches once without a free descriptor and once as usual; or many times while signals come (`signals` counts
		 * them); or in children that are killed, each a little later, until after they have attached. What succeeded is
		 * undone. `ends` has an errno for each attach, 'SIGKILL', or ''; with signals and kills, the first three were undisturbed.
		 */
		disturbed: {
			in: {by: 'descriptors' | 'signals' | 'kill'; what: 'attach'; prog: number; point: Point} & (
				| {addresses: readonly Hex[]}
				| {symbols: readonly string[]}
			);
			out: {ends: readonly string[]; signals: number};
		};
		/**
		 * Counts the calls of every function of the kernel by an ftrace_ops of the fixtures. `read` returns the counts since
		 * `start`: the address where ftrace was called (the function, or behind its endbr64), and how often.
		 */
		profile: {in: {what: 'start' | 'read' | 'stop'}; out: {calls: readonly (readonly [ip: Hex, count: number])[]}};
		/** The text of /dev/bprobe. */
		listing: {in: {}; out: {text: string}};
		/** Addresses of symbols (all of that name; scans /proc/kallsyms). */
		symbols: {in: {names: readonly string[]}; out: {addresses: Readonly<Record<string, readonly Hex[]>>}};
		/** `name+0xoff` or `name+0xoff [module]` for addresses. */
		names: {in: {addresses: readonly Hex[]}; out: {names: readonly string[]}};
		/** All events of `record` since the last `reset`, oldest first; `lost` did not fit. */
		events: {in: {}; out: {events: readonly ProgramEvent[]; lost: number}};
		/** The per-cookie maps, indexed by cookie % 1024. */
		counters: {
			in: {cookie: number};
			out: {count: number; bad: number; last: Hex; result: Hex; firstBad?: ProgramRegisters};
		};
		/** Empties events and counters. */
		reset: {in: {}; out: {}};
		call: {in: Call; out: CallResult};
		/** Like `call`, in a forked task that can be waited for and killed. The task exits by itself after the call. */
		callInTask: {in: Call; out: {task: number; pid: number}};
		/** Waits (error ETIMEDOUT after `timeoutMs`). `signal` if it was killed, `result` if its call returned. */
		taskWait: {in: {task: number; timeoutMs: number}; out: {signal?: string; errno?: string; result?: CallResult}};
		taskKill: {in: {task: number; signal: 'KILL' | 'TERM' | 'STOP' | 'CONT'}; out: {}};
		/** Execs /bin/true in the second thread of a forked process; `status` is that of waitpid(2). */
		execByThread: {in: {}; out: {pid: number; status: number}};
		/**
		 * Has the check of loops judge a good call, and then the same with one word of its outcome changed after the other.
		 * Returns the words, such as `seen.di`, whose change was not noticed.
		 */
		checkLies: {in: {target: TargetName}; out: {good: boolean; unnoticed: readonly string[]}};
		/** Ends every `wait` action. */
		release: {in: {}; out: {}};
		/** Whether a kprobe of the fixtures on fx_bare() calls fx_plain_00(). */
		nest: {in: {on: boolean}; out: {}};
		/** The fixtures keep the probe's file. At `release`, a kernel thread closes it. */
		keep: {in: {probe: number}; out: {}};
		/** fx_counts of fixtures.h. */
		counts: {
			in: {};
			out: {begun: Record<TargetName, number>; ended: Record<TargetName, number>; waiting: number; nowNs: Hex};
		};
		/**
		 * Runs FX_IOC_LOOP in `threads` threads until stopped or done (`calls`, `ms`, `address` as in struct fx_loop). Of
		 * another function than the fixtures' no register is checked.
		 */
		startLoop: {
			in: {
				target: TargetName;
				context: Context;
				threads?: number;
				calls?: number;
				ms?: number;
				address?: Hex;
				seed: Hex;
				periodUs?: number;
			};
			out: {job: number};
		};
		/**
		 * Repeatedly attaches the program at `address`, holds it until `holdCalls` more calls were seen or `holdUs` passed, and
		 * closes it. `by`: close (the same thread), thread (another thread closes), kill (the owner is a process that gets
		 * SIGKILL while it holds the probe). `target` names the fixtures' counter that proves the overlap.
		 */
		startChurn: {
			in: Churned & {
				point: Point;
				address: Hex;
				target: TargetName;
				cookie: number;
				by: 'close' | 'thread' | 'kill';
				holdUs: number;
				rounds?: number;
			};
			out: {job: number};
		};
		/** Forks processes one after the other in `threads` threads; each makes `calls` calls of the target and exits. */
		startForks: {in: {target: TargetName; threads: number; calls: number; kill: boolean}; out: {job: number}};
		/** A job of threads that each make one call, and stay until it is stopped. */
		startStaying: {in: {target: TargetName; threads: number}; out: {job: number}};
		/** Ends a job, waits for it and returns its report; a job that has ended returns its report at once. */
		stopJob: {
			in: {job: number};
			out: {
				loop?: LoopReport;
				churn?: ChurnReport;
				forks?: {forked: number; calls: number; killed: number; bad: number};
				stayed?: {called: number; failed: number};
			};
		};
		/**
		 * ioctl(2) as given, on a new /dev/bprobe or on a probe. `data` are the bytes of the argument (the answer has the
		 * same length), or `pointer` is passed instead. `patches` put pointers and descriptors of the agent into data:
		 * {offset, string} stores a pointer to the string, {offset, data} one to bytes that end at the end of a page,
		 * {offset, prog} the program's descriptor. `is32Bit`: by the system call of 32-bit programs.
		 */
		ioctl: {
			in: {
				on: 'device' | {probe: number};
				command: Hex;
				data?: string;
				pointer?: Hex;
				is32Bit?: boolean;
				patches?: readonly (
					| {offset: number; string: string}
					| {offset: number; data: string}
					| {offset: number; prog: number}
				)[];
			};
			out: {result: number; data?: string};
		};
		/**
		 * Opens /dev/bprobe in a child as `uid`, keeping `capabilities`, and tries ATTACH and CHECK. Answers are errno names or
		 * 'ok'.
		 */
		asUser: {
			in: {uid: number; keepSysAdmin: boolean; openFirst: boolean};
			out: {open: string; attach: string; check: string};
		};
		/** Descriptor tests of libbprobe. The steps run in order, see guest/agent. */
		probeFds: {
			in: {probe: number; how: 'dup' | 'fork' | 'socket'};
			/** `copy`: a new probe handle for the copy (dup, socket); `task`: the child that holds one (fork). */
			out: {copy?: number; task?: number};
		};
		crash: {in: {kind: string}; out: {}};
	}
}
