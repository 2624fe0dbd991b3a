// SPDX-License-Identifier: GPL-2.0
/* ioctl(2) with whatever bytes a test wants to send. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "agent.h"

/* Puts an agent-side pointer or descriptor into the bytes. */
static bool patch(json_t *patch, char *bytes, size_t size, struct failure *failure)
{
	const char *string = json_string_value(json_object_get(patch, "string"));
	int64_t offset;
	uint64_t pointer = (uintptr_t)string;
	int32_t fd;

	if (!need_number(patch, "offset", &offset, failure))
		return false;
	if (offset < 0 || (uint64_t)offset + (string ? sizeof(pointer) : sizeof(fd)) > size) {
		fail(failure, EINVAL, "A patch lies outside of the data.");
		return false;
	}
	if (string) {
		memcpy(bytes + offset, &pointer, sizeof(pointer));
		return true;
	}
	fd = handle_fd(patch, "prog", PROG, failure);
	memcpy(bytes + offset, &fd, sizeof(fd));
	return fd >= 0;
}

static bool patch_all(json_t *in, char *bytes, size_t size, struct failure *failure)
{
	json_t *each;
	size_t i;

	json_array_foreach(json_object_get(in, "patches"), i, each) {
		if (!patch(each, bytes, size, failure))
			return false;
	}
	return true;
}

static int descriptor(json_t *in, struct failure *failure)
{
	json_t *on = json_object_get(in, "on");

	return json_is_object(on) ? handle_fd(on, "probe", PROBE, failure) : bprobe_device(failure);
}

/* The bytes end where a page ends, so that a kernel that reads too much is found out. */
static char *at_page_end(const char *bytes, size_t size, void **mapped, size_t *mapped_size)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page + page;
	char *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	mprotect(memory + room - page, page, PROT_NONE);
	*mapped = memory;
	*mapped_size = room;
	return memcpy(memory + room - page - size, bytes, size);
}

json_t *op_ioctl(json_t *in, struct failure *failure)
{
	const char *data = json_string_value(json_object_get(in, "data"));
	int fd = descriptor(in, failure), result;
	uint64_t command, pointer = 0;
	size_t size = 0, mapped_size = 0;
	char *bytes, *argument, *text;
	void *mapped;
	json_t *out = NULL;

	if (fd < 0 || !need_hex(in, "command", &command, failure))
		return NULL;
	if (!get_hex(in, "pointer", &pointer))
		return fail(failure, EINVAL, "`pointer` has to be a hexadecimal string.");
	bytes = bytes_of(data ? data : "", &size);
	if (!bytes)
		return fail(failure, EINVAL, "`data` has to be pairs of hexadecimal digits.");
	argument = at_page_end(bytes, size, &mapped, &mapped_size);
	free(bytes);
	if (!argument)
		return fail_errno(failure, "Cannot map memory");
	if (!patch_all(in, argument, size, failure))
		goto unmap;
	result = ioctl(fd, command, data ? (unsigned long)argument : pointer);
	if (result < 0) {
		fail_errno(failure, "ioctl");
		goto unmap;
	}
	out = json_pack("{s:i}", "result", result);
	if (data) {
		text = hex_of(argument, size);
		json_object_set_new(out, "data", json_string(text));
		free(text);
	}
unmap:
	munmap(mapped, mapped_size);
	return out;
}
