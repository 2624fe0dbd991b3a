/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libbprobe: eBPF programs at the entry and the return of kernel functions.
 *
 * A probe is a plain file descriptor. It may be dup()ed, inherited and sent to
 * another process; the program runs until the last copy is closed, and not once
 * after that close() has returned. The probe keeps its program alive.
 *
 * Every call that fails returns -1 (a pointer: NULL) and sets errno. But for
 * the descriptors, struct bprobe_symbols and what bprobe_match() found there is
 * nothing to free.
 */
#ifndef LIBBPROBE_H
#define LIBBPROBE_H

#include <stddef.h>
#include <stdint.h>
#include "bprobe.h"

/* What may be said beyond the function and the program. All zero is the default. */
struct bprobe_options {
	uint64_t cookie;	/* the program finds it in struct bprobe_ext */
};

/*
 * Opens BPROBE_DEVICE: a descriptor to attach by, close-on-exec, the caller's
 * to close. ENOENT: the module is not loaded. EACCES: not root.
 */
int bprobe_open(void);

/*
 * Attaches a loaded program (prog_fd stays the caller's) to a function by name
 * or by the address of its first byte. The answer is the probe, the caller's to
 * close. @options may be NULL. Errors: see struct bprobe_attach.
 */
int bprobe_attach_symbol(int device, int prog_fd, enum bprobe_point point, const char *symbol,
			 const struct bprobe_options *options);
int bprobe_attach_address(int device, int prog_fd, enum bprobe_point point, uint64_t address,
			  const struct bprobe_options *options);

/*
 * Attaches a program to all functions of a list, in one step and by one
 * descriptor; to none if one of them cannot be, whose index is then in *failed
 * (which may be NULL), or @count where it is no function's fault. It takes
 * hardly longer than one function does.
 */
int bprobe_attach_list(int device, int prog_fd, enum bprobe_point point, const struct bprobe_function *functions,
		       uint32_t count, uint32_t *failed);

/*
 * The functions that may be probed and whose names match a pattern of the
 * shell's kind ("vfs_*"), each once and by address, the first @max of them. The
 * answer is how many, and *functions an array for bprobe_attach_list(), the
 * caller's to free.
 */
int bprobe_match(int device, const char *pattern, uint32_t max, struct bprobe_function **functions);

/*
 * Fills *info about a probe, about its first function or the one with an index.
 * EINVAL: there is none with that index. EINVAL, ENOTTY: not a probe.
 */
int bprobe_get_info(int probe, struct bprobe_info *info);
int bprobe_get_info_of(int probe, uint32_t index, struct bprobe_info *info);

/*
 * Fills *check about the function that begins at @address, without attaching
 * anything: its name, and why it must not be probed. Errors: see struct
 * bprobe_check.
 */
int bprobe_check(int device, uint64_t address, struct bprobe_check *check);

/* One line of the list of all probes. */
struct bprobe_listed {
	char point[8];
	uint64_t address;
	char symbol[BPROBE_NAME_LEN];
	uint32_t prog_id;
	char hook[8];
	uint64_t hits;
	uint64_t misses;
	int pid;		/* of the owner */
};

/*
 * Calls @each for every probe of the system, oldest first, until it answers
 * other than 0; that answer is returned, else 0.
 */
int bprobe_list(int (*each)(const struct bprobe_listed *listed, void *argument), void *argument);

/*
 * Addresses of the functions that bear a name, from /proc/kallsyms: at most
 * @max are stored, all are counted. 0: none. EPERM: addresses are hidden.
 */
int bprobe_resolve(const char *symbol, uint64_t *addresses, int max);

/*
 * A copy of the kernel's code symbols, for many questions: NULL and errno if it
 * cannot be read, the caller's to free. Modules that come later are not in it.
 * _each walks all, in no order; _name writes "name+0xoff" or "name+0xoff [module]"
 * into @name and answers it.
 */
struct bprobe_symbols;
struct bprobe_symbols *bprobe_symbols_load(void);
void bprobe_symbols_free(struct bprobe_symbols *symbols);
void bprobe_symbols_each(const struct bprobe_symbols *symbols,
			 void (*each)(const char *name, uint64_t address, void *argument), void *argument);
char *bprobe_symbols_name(struct bprobe_symbols *symbols, uint64_t address, char *name, size_t size);

/*
 * The whole call stack of a probed function, innermost first: @entries as
 * bpf_get_stackid stored them (a 0 ends them), completed by @caller of struct
 * bprobe_ext where a kernel with frame pointers left it out. Returns how many
 * were stored in @stack (at most @max).
 */
int bprobe_whole_stack(const uint64_t *entries, int count, uint64_t caller, uint64_t *stack, int max);

/* A word of the extension block's registers, by the name that struct fx_regs and ptrace use ("di"). EINVAL: no such. */
int bprobe_register(const uint64_t regs[BPROBE_REGS_WORDS], const char *name, uint64_t *value);

/*
 * Argument @n (0 is the first) of the probed call, register or stack, from the
 * extension block. EINVAL: beyond what the block holds.
 */
int bprobe_argument(const struct bprobe_ext *ext, int n, uint64_t *value);

/* Names of enum bprobe_point, enum bprobe_hook, enum bprobe_miss: "entry", "ftrace", "recursion"; "?" if unknown. */
const char *bprobe_point_name(unsigned int point);
const char *bprobe_hook_name(unsigned int hook);
const char *bprobe_miss_name(unsigned int miss);

/*
 * Hands a copy of a probe to whoever reads the other end of a UNIX socket. The
 * sender keeps its own; both have to be closed. bprobe_receive() answers the
 * new descriptor (close-on-exec). EPROTO: what came was no descriptor.
 */
int bprobe_send(int socket, int probe);
int bprobe_receive(int socket);

#endif
