// SPDX-License-Identifier: GPL-2.0
/* Loads programs: C ones by libbpf, others as bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "agent.h"

/* The last warning of libbpf, for the message of a failure. */
static char complaint[512];

static int remember(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN)
		vsnprintf(complaint, sizeof(complaint), format, arguments);
	complaint[strcspn(complaint, "\n")] = 0;
	return 0;
}

struct bpf_object *program_open(const char *directory, const char *name, struct failure *failure)
{
	char path[256];
	struct bpf_object *object;

	snprintf(path, sizeof(path), LIBRARY "/programs/%s%s.bpf.o", directory, name);
	libbpf_set_print(remember);
	*complaint = 0;
	object = bpf_object__open_file(path, NULL);
	if (!object)
		fail(failure, errno, "Cannot open %s: %s. %s", path, strerror(errno), complaint);
	return object;
}

int program_load(struct bpf_object *object)
{
	int error = map_prepare(object);

	if (!error)
		error = bpf_object__load(object);
	return error ? error : map_keep(object);
}

const char *program_complaint(void)
{
	return complaint;
}

static int load_object(const char *name, struct failure *failure)
{
	struct bpf_object *object = program_open("", name, failure);
	struct bpf_program *program;
	int error, fd = -1;

	if (!object)
		return -1;
	error = program_load(object);
	program = bpf_object__next_program(object, NULL);
	if (!error && !program)
		error = -ENOENT;
	if (!error)
		fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		fail(failure, error ? -error : errno, "Cannot load %s. %s", name, complaint);
	bpf_object__close(object);
	return fd;
}

/* Before Linux 5.0 a kprobe program must name the kernel version that it is for. */
static uint32_t kernel_version(void)
{
	unsigned int major = 0, minor = 0, patch = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%u.%u.%u", &major, &minor, &patch);
	return major << 16 | minor << 8 | (patch > 255 ? 255 : patch);
}

static int load_bytes(json_t *in, struct failure *failure)
{
	static const char *const types[] = {"kprobe", "socket", "sleepable", "kprobe-multi", NULL};
	enum {KPROBE, SOCKET, SLEEPABLE, MULTI};
	static char log[4096];
	const char *instructions, *license;
	size_t size;
	char *bytes;
	int type, fd;

	if (!need_string(in, "instructions", &instructions, failure) ||
	    !need_string(in, "license", &license, failure) || !need_choice(in, "type", types, &type, failure))
		return -1;
	bytes = bytes_of(instructions, &size);
	if (!bytes || size % sizeof(struct bpf_insn)) {
		free(bytes);
		fail(failure, EINVAL, "`instructions` have to be hexadecimal digits, 16 for each.");
		return -1;
	}
	union bpf_attr attr = {
		.prog_type = type == SOCKET ? BPF_PROG_TYPE_SOCKET_FILTER : BPF_PROG_TYPE_KPROBE,
		.prog_flags = type == SLEEPABLE ? BPF_F_SLEEPABLE : 0,
		.insn_cnt = size / sizeof(struct bpf_insn),
		.insns = (uintptr_t)bytes,
		.license = (uintptr_t)license,
		.log_level = 1,
		.log_size = sizeof(log),
		.log_buf = (uintptr_t)log,
		.kern_version = kernel_version(),
		.expected_attach_type = type == MULTI ? BPF_TRACE_KPROBE_MULTI : 0,
	};
	*log = 0;
	/* Linux 4.15 knows the structure up to prog_flags. */
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr,
		     type == MULTI ? offsetof(union bpf_attr, expected_attach_type) + sizeof(attr.expected_attach_type) :
				     offsetof(union bpf_attr, prog_name));
	if (fd < 0)
		fail(failure, errno, "Cannot load the instructions: %s. %.600s", strerror(errno), log);
	free(bytes);
	return fd;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

json_t *op_load(json_t *in, struct failure *failure)
{
	static const char *const names[] = {
		"record", "count", "empty", "read_all", "verify_entry", "verify_return", "slow", "faulting", "touch_map",
		"tail_call", "asks", "cast", "read_ax", "read_r15", NULL,
	};
	int choice, next = -1, fd;

	if (json_object_get(in, "next")) {
		next = handle_fd(in, "next", PROG, failure);
		if (next < 0)
			return NULL;
	}

	if (json_object_get(in, "instructions"))
		fd = load_bytes(in, failure);
	else if (need_choice(in, "program", names, &choice, failure))
		fd = load_object(names[choice], failure);
	else
		return NULL;
	if (fd < 0)
		return NULL;
	if (next >= 0 && map_call_next(next)) {
		fail_errno(failure, "Cannot set the program to be called");
		close(fd);
		return NULL;
	}
	return json_pack("{s:i, s:I}", "prog", handle_add(PROG, fd), "progId", (json_int_t)program_id(fd));
}

json_t *op_unload(json_t *in, struct failure *failure)
{
	return handle_close(in, "prog", PROG, failure) ? NULL : json_object();
}

json_t *op_prog_exists(json_t *in, struct failure *failure)
{
	int64_t id;
	int fd;

	if (!need_number(in, "progId", &id, failure))
		return NULL;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0)
		close(fd);
	else if (errno != ENOENT)
		return fail_errno(failure, "Cannot look for the program");
	return json_pack("{s:b}", "exists", fd >= 0);
}
