/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libbprobe: eBPF programs at the entry and the return of kernel functions.
 *
 * A probe is a plain file descriptor. It may be dup()ed, inherited and sent to
 * another process. The program runs until the last copy is closed, and never
 * after that close() has returned. The probe keeps its program alive.
 *
 * Every call that fails returns -1 (or NULL for a pointer) and sets errno. The
 * caller closes the descriptors, and frees struct bprobe_symbols and the array
 * of bprobe_match(); there is nothing else to free.
 */
#ifndef LIBBPROBE_H
#define LIBBPROBE_H

#include <stddef.h>
#include <stdint.h>
#include "bprobe.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options of an attach. All zero is the default. */
struct bprobe_options {
	uint64_t cookie;	/* passed to the program in struct bprobe_ext */
	uint32_t flags;		/* BPROBE_NOT_IN_INTERRUPT */
};

/*
 * Opens BPROBE_DEVICE and returns a descriptor to attach by (close-on-exec).
 * The caller closes it. ENOENT: the module is not loaded. EACCES: not root.
 * EPERM: root without CAP_SYS_ADMIN.
 */
int bprobe_open(void);

/*
 * Attaches a loaded program to a function, by name or by the address of its
 * first byte. prog_fd stays the caller's. Returns the probe; the caller closes
 * it. @options may be NULL. Errors: see struct bprobe_attach.
 */
int bprobe_attach_symbol(int device, int prog_fd, enum bprobe_point point, const char *symbol,
			 const struct bprobe_options *options);
int bprobe_attach_address(int device, int prog_fd, enum bprobe_point point, uint64_t address,
			  const struct bprobe_options *options);

/*
 * Attaches a program to all functions of a list, in one step and by one
 * descriptor. If one of them cannot be probed, none is: *failed is then its
 * index, or @count if no function is the reason. @failed may be NULL. Cookies
 * are in the list, so that of @options must be 0. This takes hardly longer than
 * one function.
 */
int bprobe_attach_list(int device, int prog_fd, enum bprobe_point point, const struct bprobe_function *functions,
		       uint32_t count, const struct bprobe_options *options, uint32_t *failed);

/*
 * Finds the functions that may be probed and whose names match a shell pattern
 * ("vfs_*"). Returns how many, and in *functions an array for
 * bprobe_attach_list(), which the caller frees: each function once, sorted by
 * address, the first @max of them.
 */
int bprobe_match(int device, const char *pattern, uint32_t max, struct bprobe_function **functions);

/*
 * Fills *info for the first function of a probe, or for the function at @index.
 * EINVAL: there is none at @index. EINVAL, ENOTTY: not a probe.
 */
int bprobe_get_info(int probe, struct bprobe_info *info);
int bprobe_get_info_of(int probe, uint32_t index, struct bprobe_info *info);

/*
 * Fills *check for the function that begins at @address: its name, and why it
 * must not be probed. Attaches nothing. Errors: see struct bprobe_check.
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
	int pid;		/* of the process that attached it */
};

/*
 * Calls @each for every probe of the system, oldest first, until it returns
 * other than 0. Returns that result, otherwise 0.
 */
int bprobe_list(int (*each)(const struct bprobe_listed *listed, void *argument), void *argument);

/*
 * Finds all functions with a name in /proc/kallsyms. Stores at most @max
 * addresses, returns the number of all. 0: none. EPERM: addresses are hidden.
 */
int bprobe_resolve(const char *symbol, uint64_t *addresses, int max);

/*
 * A copy of the kernel's code symbols, for many lookups. bprobe_symbols_load()
 * returns NULL and sets errno if they cannot be read; the caller frees the
 * copy. Modules that are loaded later are not in it. _each calls @each for
 * every symbol, in no order. _name writes "name+0xoff" or "name+0xoff [module]"
 * into @name and returns @name.
 */
struct bprobe_symbols;
struct bprobe_symbols *bprobe_symbols_load(void);
void bprobe_symbols_free(struct bprobe_symbols *symbols);
void bprobe_symbols_each(const struct bprobe_symbols *symbols,
			 void (*each)(const char *name, uint64_t address, void *argument), void *argument);
char *bprobe_symbols_name(struct bprobe_symbols *symbols, uint64_t address, char *name, size_t size);

/*
 * The complete call stack of a probed function, innermost first: @entries as
 * bpf_get_stackid() stored them (0 ends them), with @caller of struct
 * bprobe_ext inserted where a kernel with frame pointers left it out. Returns
 * how many were stored in @stack (at most @max).
 */
int bprobe_whole_stack(const uint64_t *entries, int count, uint64_t caller, uint64_t *stack, int max);

/*
 * A register from the extension block, by the name that struct fx_regs and
 * ptrace use ("di"). EINVAL: no such register.
 */
int bprobe_register(const uint64_t regs[BPROBE_REGS_WORDS], const char *name, uint64_t *value);

/*
 * Argument @n (0 is the first) of the probed call, from a register or the
 * stack, as the extension block holds it. EINVAL: the block does not hold it.
 */
int bprobe_argument(const struct bprobe_ext *ext, int n, uint64_t *value);

/*
 * Names of enum bprobe_point, enum bprobe_hook, enum bprobe_miss: "entry",
 * "ftrace", "recursion"; "?" if unknown.
 */
const char *bprobe_point_name(unsigned int point);
const char *bprobe_hook_name(unsigned int hook);
const char *bprobe_miss_name(unsigned int miss);

/*
 * Passes a copy of a probe to the reader of the other end of a UNIX socket. The
 * sender keeps its own; both must be closed. bprobe_receive() returns the new
 * descriptor (close-on-exec). EPROTO: the message held no descriptor.
 */
int bprobe_send(int socket, int probe);
int bprobe_receive(int socket);

#ifdef __cplusplus
}
#endif

#endif
