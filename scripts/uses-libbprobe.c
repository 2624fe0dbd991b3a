// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the calls of a function that it makes itself: a program as someone with an installed libbprobe writes it, and with
 * nothing else. real-machine.ts links it with the shared and with the static library.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <libbprobe.h>

/* "return 0", by instructions, so that no loader is needed. */
static int load(void)
{
	struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0}, {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE, .insn_cnt = 2, .insns = (unsigned long)code,
		.license = (unsigned long)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int main(void)
{
	int probe = bprobe_attach_symbol(bprobe_open(), load(), BPROBE_RETURN, "do_mkdirat", NULL);
	struct bprobe_info info;

	if (probe < 0) {
		fprintf(stderr, "do_mkdirat: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < 3; i++)
		mkdir("/proc/there", 0700);
	if (bprobe_get_info(probe, &info))
		return 1;
	printf("%s of %s: %llu hits\n", bprobe_point_name(info.point), info.symbol, (unsigned long long)info.hits);
	return close(probe);
}
