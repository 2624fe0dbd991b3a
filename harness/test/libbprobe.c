// SPDX-License-Identifier: GPL-2.0
/* Prints what the functions of libbprobe return that need no module, a line for each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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
	stack("of a recursion", again, 3, 10, 8);
	stack("without caller known", three, 5, 0, 8);
	stack("cut", three, 5, 15, 3);
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
	return 0;
}
