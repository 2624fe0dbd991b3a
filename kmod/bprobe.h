/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The user space interface of bprobe: eBPF programs at the entry and at the
 * return of any kernel function. Every probe is a file descriptor.
 */
#ifndef BPROBE_H
#define BPROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BPROBE_DEVICE "/dev/bprobe"

/* Where the program runs. */
enum bprobe_point {
	BPROBE_ENTRY = 0,	/* before the first instruction of the function */
	BPROBE_RETURN = 1,	/* as if the executed ret were instrumented */
};

/*
 * Flag of an attach: a call in an interrupt (hard, soft, NMI) does not run the
 * program. It is no hit, and no miss but for BPROBE_MISS_NO_RCU and
 * BPROBE_MISS_KPROBE, which are counted for all probes of a function together.
 */
#define BPROBE_NOT_IN_INTERRUPT (1u << 0)

/**
 * struct bprobe_function - one function of a list
 * @symbol:	user pointer to its NUL-terminated name, or 0. Unreadable: EFAULT.
 *		Longer than a kernel symbol can be, or the function's name does
 *		not fit BPROBE_NAME_LEN: ENAMETOOLONG. Unknown: ENOENT. Several
 *		functions have this name: ENOTUNIQ; attach by address then.
 * @address:	its address when @symbol is 0; exactly one of the two must be
 *		given (EINVAL). Not the first byte of a function: EADDRNOTAVAIL.
 * @cookie:	passed to the program in struct bprobe_ext
 */
struct bprobe_function {
	__aligned_u64 symbol;
	__aligned_u64 address;
	__aligned_u64 cookie;
};

#define BPROBE_FUNCTIONS_MAX (1 << 18)

/**
 * struct bprobe_attach - argument of BPROBE_IOC_ATTACH
 * @size:	sizeof(struct bprobe_attach) as the caller knows it. Any size from
 *		the first published one (BPROBE_ATTACH_FIRST_SIZE) on is valid;
 *		members beyond it count as 0. Smaller, larger than a page, or with
 *		non-zero bytes that this module does not know: E2BIG.
 * @flags:	0 or BPROBE_NOT_IN_INTERRUPT; anything else: EINVAL.
 * @prog_fd:	a loaded program of type BPF_PROG_TYPE_KPROBE. Not an open
 *		descriptor: EBADF. Not such a program, or a program that sleeps,
 *		overrides returns or has an expected attach type: EPROTOTYPE.
 * @point:	enum bprobe_point; anything else: EINVAL.
 * @symbol:	@symbol, @address and @cookie describe one function, as struct
 *		bprobe_function does; all must be 0 if there is a list (EINVAL)
 * @address:	see @symbol
 * @cookie:	see @symbol
 * @functions:	user pointer to an array of struct bprobe_function, or 0.
 *		Unreadable: EFAULT.
 * @count:	number of its elements: 1 to BPROBE_FUNCTIONS_MAX, more: E2BIG;
 *		0 if and only if @functions is 0 (EINVAL).
 * @failed:	out, if there is a list and the ioctl failed: the index of the
 *		function that caused it, or @count if no function did
 *
 * A kernel that is locked down against kprobes (lockdown=confidentiality):
 * EPERM.
 *
 * What must not be probed: EOPNOTSUPP; BPROBE_IOC_CHECK tells why. This is
 *  - anything that is no function, or not known to be one (data, labels, .cold
 *    and other fragments),
 *  - code that runs once (__init),
 *  - code of vmlinux without a __fentry__ site (entry and startup code, thunks,
 *    ftrace itself, notrace functions, assembly),
 *  - the kernel's kprobe blacklist,
 *  - labels of assembly in modules: symbols without a size,
 *  - static calls (__SCT__), which the kernel rewrites,
 *  - the context switch, the end of a CPU that goes offline, and what walks the
 *    stack for a program's exception (bpf_throw),
 *  - this module itself, and
 *  - functions that this kernel offers no way to hook.
 *
 * Copies that a compiler makes of a function (.isra, .constprop, .part) are
 * functions, with arguments of their own. An alias is the function it stands
 * for. A function of a module that is being loaded, or one that needs a kprobe
 * while debugfs has kprobes switched off: EBUSY. A function of a module that is
 * being unloaded: ENOENT. ENOMEM and EMFILE have their usual meaning. An attach that
 * fails leaves nothing behind and has run no program: either all functions of a
 * list are attached, in one step, or none.
 *
 * The ioctl returns a new descriptor (close-on-exec), which is the probe of all
 * the functions. Its fdinfo in /proc names the program ("prog_id:"). It holds
 * the program, and the modules that contain the functions. Closing its last copy
 * detaches: after that close has returned, the program no longer runs.
 * Descriptors that one task closes by one system call, or by exiting, are
 * detached together, in the time that one takes. A close never waits for calls
 * of the function that are under way. The module can be unloaded while there are
 * such calls. It cannot be unloaded (EAGAIN) while another tracer, which
 * replaced a call's return address after us, will return that call to us.
 *
 * Entry programs of one function run in the order of their attachment, return
 * programs in the reverse order. A function that is twice in a list has two
 * probes. A program attached during a call does not see that call's return.
 */
struct bprobe_attach {
	__u32 size;
	__u32 flags;
	__s32 prog_fd;
	__u32 point;
	__aligned_u64 symbol;
	__aligned_u64 address;
	__aligned_u64 cookie;
	__aligned_u64 functions;
	__u32 count;
	__u32 failed;
};

#define BPROBE_ATTACH_FIRST_SIZE 40

/* Why a program did not run though its probe was hit. */
enum bprobe_miss {
	BPROBE_MISS_RECURSION,	/* hit from inside a program or the handler on this CPU */
	BPROBE_MISS_NMI,	/* this kernel refuses programs in an NMI */
	BPROBE_MISS_NO_RCU,	/* RCU was not watching (idle, entry code) */
	BPROBE_MISS_NO_FRAME,	/* more calls in flight than the module has frames */
	BPROBE_MISS_BPF_BUSY,	/* another BPF program or map operation held this CPU */
	BPROBE_MISS_KPROBE,	/* the kernel's kprobe layer was busy on this CPU */
	BPROBE_MISS_MAX
};

#define BPROBE_NAME_LEN 128
#define BPROBE_REASON_LEN 64

/**
 * struct bprobe_info - argument of BPROBE_IOC_INFO, on a probe's descriptor
 * @size:	in: sizeof(struct bprobe_info) as the caller knows it; out: the
 *		number of bytes filled. Rules as for struct bprobe_attach; the
 *		first published size is BPROBE_INFO_FIRST_SIZE.
 * @point:	enum bprobe_point
 * @address:	the function's address
 * @cookie:	as attached
 * @prog_id:	the program's id, as bpftool shows it
 * @hook:	enum bprobe_hook
 * @hits:	how often the program ran
 * @misses:	how often it did not, by reason (enum bprobe_miss)
 * @symbol:	the function's name, "name [module]" for a module's
 * @index:	in: index of the function in the list that was attached, from 0.
 *		Not in the list: EINVAL.
 * @count:	out: number of functions, 1 if there was no list
 */
struct bprobe_info {
	__u32 size;
	__u32 point;
	__aligned_u64 address;
	__aligned_u64 cookie;
	__u32 prog_id;
	__u32 hook;
	__aligned_u64 hits;
	__aligned_u64 misses[BPROBE_MISS_MAX];
	char symbol[BPROBE_NAME_LEN];
	__u32 index;
	__u32 count;
};

#define BPROBE_INFO_FIRST_SIZE 216

/**
 * struct bprobe_check - argument of BPROBE_IOC_CHECK, on BPROBE_DEVICE
 * @size:	sizeof(struct bprobe_check) as the caller knows it. Rules as for
 *		struct bprobe_attach.
 * @flags:	none are defined; anything but 0: EINVAL.
 * @address:	of the first byte of a function. Otherwise: EADDRNOTAVAIL.
 * @symbol:	out: its name, "name [module]" for a module's
 * @reason:	out: why it must not be probed, for people to read; empty if it
 *		may be
 *
 * Tells whether BPROBE_IOC_ATTACH would fail with EOPNOTSUPP, and attaches
 * nothing. An attach can still find that the kernel offers no way to hook it.
 */
struct bprobe_check {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	char symbol[BPROBE_NAME_LEN];
	char reason[BPROBE_REASON_LEN];
};

/* How a function is hooked (struct bprobe_info.hook). */
enum bprobe_hook {
	BPROBE_HOOK_FTRACE = 0,	/* its __fentry__ site */
	BPROBE_HOOK_KPROBE = 1,	/* a kprobe on its first instruction */
};

#define BPROBE_EXT_VERSION 1
#define BPROBE_STACK_WORDS 8
#define BPROBE_REGS_WORDS 21	/* struct pt_regs of x86-64 */

/**
 * struct bprobe_ext - what follows the program's struct pt_regs
 *
 * Read it with bpf_probe_read(&ext, sizeof(ext), (char *)ctx + BPROBE_EXT_OFFSET).
 *
 * @version:	BPROBE_EXT_VERSION
 * @size:	bytes of this block that are valid
 * @cookie:	of the probe that runs
 * @function:	address of the probed function
 * @caller:	the real return address of this call
 * @entry:	at entry and at return: struct pt_regs at the function's entry
 * @stack:	at entry and at return: the words above the return address when
 *		the function was entered (7th argument first)
 */
struct bprobe_ext {
	__u32 version;
	__u32 size;
	__u64 cookie;
	__u64 function;
	__u64 caller;
	__u64 entry[BPROBE_REGS_WORDS];
	__u64 stack[BPROBE_STACK_WORDS];
};

#define BPROBE_EXT_OFFSET (BPROBE_REGS_WORDS * 8)

/*
 * Reading BPROBE_DEVICE lists all probes as text. First "frames N of M": N calls
 * have their return address replaced now, M is the maximum. Then the names of
 * the columns, then one line for each probe: point, address, program id, hook,
 * hits, misses, process that attached it, symbol.
 */

/*
 * Numbers of type 'P' do not collide with FIBMAP and FIGETBSZ (type 0, numbers 1
 * and 2), which never reach a driver. The numbers encode the first published
 * sizes for ever. They do not change when a structure grows, so that old callers
 * and new modules agree on them.
 */
#define BPROBE_IOC_ATTACH	_IOC(_IOC_WRITE, 'P', 0x60, BPROBE_ATTACH_FIRST_SIZE)
#define BPROBE_IOC_INFO		_IOC(_IOC_READ | _IOC_WRITE, 'P', 0x61, BPROBE_INFO_FIRST_SIZE)
#define BPROBE_IOC_CHECK	_IOWR('P', 0x62, struct bprobe_check)

#endif
