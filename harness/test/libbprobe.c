// SPDX-License-Identifier: GPL-2.0
/* Prints what the functions of libbprobe return that need no module, a line for each. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libbprobe.h"

static void registers(const struct bprobe_ext *ext)
{
	static const char *const names[] = {
		"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "orig_ax",
		"ip", "cs", "flags", "sp", "ss",
	};
	uint64_t value = 0;

	printf("registers:");
	for (int i = 0; i < BPROBE_REGS_WORDS; i++)
		printf(" %ld", bprobe_register((const uint64_t *)ext->entry, names[i], &value) ? -1L : (long)value);
	printf("\nunknown register: %d", bprobe_register((const uint64_t *)ext->entry, "rdi", &value));
	printf(" %s\narguments:", strerrorname_np(errno));
	for (int i = 0; i < 6 + BPROBE_STACK_WORDS; i++)
		printf(" %ld", bprobe_argument(ext, i, &value) ? -1L : (long)value);
	errno = 0;
	printf("\nno argument: %d %d", bprobe_argument(ext, -1, &value), bprobe_argument(ext, 6 + BPROBE_STACK_WORDS, &value));
	printf(" %s\n", strerrorname_np(errno));
}

static void stack(const char *what, const uint64_t *entries, int count, uint64_t caller, int max)
{
	uint64_t whole[8];
	int stored = bprobe_whole_stack(entries, count, caller, whole, max);

	printf("stack %s:", what);
	for (int i = 0; i < stored; i++)
		printf(" %ld", (long)whole[i]);
	printf("\n");
}

static void passing(void)
{
	int sockets[2], probe = open("/dev/null", O_RDWR), copy;
	char byte = 'P';

	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	printf("sent: %d\n", bprobe_send(sockets[0], probe));
	copy = bprobe_receive(sockets[1]);
	printf("received: %s, close-on-exec %d\n", copy > probe ? "another" : "none", fcntl(copy, F_GETFD) & FD_CLOEXEC);
	if (send(sockets[0], &byte, 1, 0) != 1)
		return;
	printf("received without: %d", bprobe_receive(sockets[1]));
	printf(" %s\n", strerrorname_np(errno));
	close(sockets[1]);
	printf("sent to nobody: %d", bprobe_send(sockets[0], probe));
	printf(" %s\n", strerrorname_np(errno));
}

static char symbols[] = "ffffffff81000000 T twice\n"
			"ffffffff81000010 D once\n"
			"ffffffff81000020 t once\t[fixtures]\n"
			"ffffffff81000030 t not_once\n"
			"ffffffff81000040 W twice\t[fixtures]\n"
			"0000000000000000 T hidden\n"
			"ffffffff81000020 t other_once\t[fixtures]\n"
			"ffffffff81000008 T first_once\n";

/* What the library calls: compiled with -Dfopen=fopen_of_test and the like. */
FILE *fopen(const char *path, const char *mode)
{
	static char probes[] = "frames 0 of 4096\n"
			       "point  address          prog hook   hits misses pid symbol\n"
			       "entry  ffffffff81000000    7 ftrace    1      2  30 twice\n"
			       "return ffffffff81000020    8 kprobe    4      5  60 once [fixtures]\n";
	char *text = strcmp(path, BPROBE_DEVICE) ? symbols : probes;

	return fmemopen(text, strlen(text), *mode == 'r' ? "r" : "w");
}

int open(const char *path, int flags, ...)
{
	int fd;

	if (strcmp(path, "/proc/kallsyms"))
		return openat(AT_FDCWD, path, flags);
	fd = memfd_create("kallsyms", 0);
	if (write(fd, symbols, strlen(symbols)) < 0)
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static uint64_t refused;

int ioctl(int fd, unsigned long command, ...)
{
	struct bprobe_check *check;
	struct bprobe_info *info;
	size_t set = 0;
	va_list more;
	void *argument;

	va_start(more, command);
	argument = va_arg(more, void *);
	va_end(more);
	switch (command) {
	case BPROBE_IOC_CHECK:
		check = argument;
		if (check->address == refused)
			strcpy(check->reason, "no");
		return 0;
	case BPROBE_IOC_INFO:
		info = argument;
		for (size_t i = 0; i < sizeof(*info); i++)
			set += ((const unsigned char *)info)[i] != 0;
		printf(" size %u of %zu, index %u, %zu bytes set", info->size, sizeof(*info), info->index, set);
		return 0;
	}
	errno = EBADF;
	return -1;
}

/* Which call fails; none if negative. */
static int failing = -1;

void *realloc(void *memory, size_t size)
{
	if (failing-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	/* No larger table is needed here. */
	return memory ? memory : calloc(1, size);
}

static int show_listed(const struct bprobe_listed *listed, void *most)
{
	printf(" %s %lx %u %s %lu %lu %d %s,", listed->point, listed->address, listed->prog_id, listed->hook, listed->hits,
	       listed->misses, listed->pid, listed->symbol);
	return --*(int *)most ? 0 : 9;
}

static void found(const char *symbol, int max)
{
	uint64_t addresses[2] = {1, 2};

	errno = 0;
	printf("%s, room for %d: %d", symbol, max, bprobe_resolve(symbol, addresses, max));
	printf(" %lx %lx %s\n", addresses[0], addresses[1], strerrorname_np(errno));
}

static void looking_up(void)
{
	int most = 5;

	printf("listed:");
	printf(" %d\n", bprobe_list(show_listed, &most));
	most = 1;
	printf("listed until told to stop:");
	printf(" %d\n", bprobe_list(show_listed, &most));
	found("once", 2);
	found("twice", 2);
	found("twice", 1);
	found("none", 2);
	found("hidden", 2);
}

static void matched(const char *what, const char *pattern, uint32_t max)
{
	struct bprobe_function *functions = NULL;
	int count = bprobe_match(3, pattern, max, &functions);

	printf("matched %s: %d", what, count);
	for (int i = 0; i < count; i++)
		printf(" %lx", (long)functions[i].address);
	printf("%s%s\n", count < 0 ? " " : "", count < 0 ? strerrorname_np(errno) : "");
	free(functions);
}

static void matching(void)
{
	matched("all", "*once", 9);
	matched("none", "nowhere", 9);
	matched("two", "*once", 2);
	refused = 0xffffffff81000020;
	matched("but what is refused", "*once", 9);
	matched("two but what is refused", "*once", 2);
	refused = 0;
	failing = 0;
	matched("without memory for symbols", "*once", 9);
	failing = 1;
	matched("without memory for one function", "*once", 9);
}

static void naming(void)
{
	static const uint64_t addresses[] = {0xffffffff81000000, 0xffffffff8100002a, 0xffffffff81000044, 5};
	struct bprobe_symbols *all = bprobe_symbols_load();
	char name[64];

	printf("names:");
	for (int i = 0; i < 4; i++)
		printf(" %s,", bprobe_symbols_name(all, addresses[i], name, sizeof(name)));
	printf("\n");
	bprobe_symbols_free(all);
}

/* What the module does not know must be 0. */
static void asking(void)
{
	struct bprobe_info info;

	memset(&info, 0xff, sizeof(info));
	printf("info:");
	printf(" %d\n", bprobe_get_info(7, &info));
	memset(&info, 0xff, sizeof(info));
	printf("info of 3:");
	printf(" %d\n", bprobe_get_info_of(7, 3, &info));
}

static void refused_list(void)
{
	struct bprobe_function functions[3] = {};
	uint32_t failed = 77;

	printf("a list without a device: %d", bprobe_attach_list(-1, -1, BPROBE_ENTRY, functions, 3, NULL, &failed));
	printf(" %s, failed %u of 3\n", strerrorname_np(errno), failed);
}

int main(void)
{
	static const uint64_t three[] = {10, 20, 30, 0, 40}, one[] = {10}, again[] = {10, 20, 10};
	struct bprobe_ext ext = {};

	for (int i = 0; i < BPROBE_REGS_WORDS; i++)
		((uint64_t *)ext.entry)[i] = 100 + i;
	for (int i = 0; i < BPROBE_STACK_WORDS; i++)
		ext.stack[i] = 200 + i;
	registers(&ext);
	stack("complete", three, 5, 20, 8);
	stack("without the caller", three, 5, 15, 8);
	stack("of one", one, 1, 15, 8);
	stack("of one, cut", one, 1, 15, 1);
	stack("of a recursion", again, 3, 10, 8);
	stack("without caller known", three, 5, 0, 8);
	stack("cut", three, 5, 15, 3);
	stack("cut behind the caller", three, 5, 15, 2);
	printf("points:");
	for (unsigned int i = 0; i <= 2; i++)
		printf(" %s", bprobe_point_name(i));
	printf("\nhooks:");
	for (unsigned int i = 0; i <= 2; i++)
		printf(" %s", bprobe_hook_name(i));
	printf("\nmisses:");
	for (unsigned int i = 0; i <= BPROBE_MISS_MAX; i++)
		printf(" %s,", bprobe_miss_name(i));
	printf("\n");
	passing();
	looking_up();
	matching();
	naming();
	asking();
	refused_list();
	return 0;
}
