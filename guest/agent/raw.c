// SPDX-License-Identifier: GPL-2.0
/* ioctl(2) with any bytes that a test sends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "agent.h"

struct mapping {
	void *memory;
	size_t size;
};

/* Memory of the argument and of what it points to. */
struct mappings {
	struct mapping mapping[4];
	int count;
};

/* The bytes end at a page end, so that a kernel that reads too much gets a fault. */
static char *at_page_end(struct mappings *mappings, const char *bytes, size_t size, int flags)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page + page;
	char *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	mprotect(memory + room - page, page, PROT_NONE);
	mappings->mapping[mappings->count++] = (struct mapping){memory, room};
	return memcpy(memory + room - page - size, bytes, size);
}

static void unmap_all(struct mappings *mappings)
{
	for (int i = 0; i < mappings->count; i++)
		munmap(mappings->mapping[i].memory, mappings->mapping[i].size);
}

static char *map_digits(struct mappings *mappings, const char *digits, size_t *size, int flags, struct failure *failure)
{
	char *bytes = bytes_of(digits, size), *mapped;

	if (!bytes)
		return fail(failure, EINVAL, "`data` has to be pairs of hexadecimal digits."), NULL;
	if (mappings->count == sizeof(mappings->mapping) / sizeof(mappings->mapping[0]))
		return free(bytes), fail(failure, EINVAL, "There are too many patches."), NULL;
	mapped = at_page_end(mappings, bytes, *size, flags);
	free(bytes);
	if (!mapped)
		fail_errno(failure, "Cannot map memory");
	return mapped;
}

/* Puts a pointer or descriptor of the agent into the bytes. */
static bool patch(json_t *patch, char *bytes, size_t size, struct mappings *mappings, struct failure *failure)
{
	const char *string = json_string_value(json_object_get(patch, "string"));
	const char *data = json_string_value(json_object_get(patch, "data"));
	int64_t offset;
	uint64_t pointer = (uintptr_t)string;
	size_t length;
	int32_t fd;

	if (!need_number(patch, "offset", &offset, failure))
		return false;
	if (offset < 0 || (uint64_t)offset + (string || data ? sizeof(pointer) : sizeof(fd)) > size) {
		fail(failure, EINVAL, "A patch lies outside of the data.");
		return false;
	}
	if (data) {
		pointer = (uintptr_t)map_digits(mappings, data, &length, 0, failure);
		if (!pointer)
			return false;
	}
	if (string || data) {
		memcpy(bytes + offset, &pointer, sizeof(pointer));
		return true;
	}
	fd = handle_fd(patch, "prog", PROG, failure);
	memcpy(bytes + offset, &fd, sizeof(fd));
	return fd >= 0;
}

static bool patch_all(json_t *in, char *bytes, size_t size, struct mappings *mappings, struct failure *failure)
{
	json_t *each;
	size_t i;

	json_array_foreach(json_object_get(in, "patches"), i, each) {
		if (!patch(each, bytes, size, mappings, failure))
			return false;
	}
	return true;
}

static int descriptor(json_t *in, struct failure *failure)
{
	json_t *on = json_object_get(in, "on");

	return json_is_object(on) ? handle_fd(on, "probe", PROBE, failure) : bprobe_device(failure);
}

/* As 32-bit programs call it. */
static int ioctl_of_32_bit(int fd, uint32_t command, uint32_t argument)
{
	int result;

	asm volatile("int $0x80" : "=a"(result) : "0"(54), "b"(fd), "c"(command), "d"(argument)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

json_t *op_ioctl(json_t *in, struct failure *failure)
{
	const char *data = json_string_value(json_object_get(in, "data"));
	bool is_32_bit = json_is_true(json_object_get(in, "is32Bit"));
	int fd = descriptor(in, failure), result;
	struct mappings mappings = {};
	uint64_t command, pointer = 0;
	char *argument, *text;
	json_t *out = NULL;
	size_t size;

	if (fd < 0 || !need_hex(in, "command", &command, failure))
		return NULL;
	if (!get_hex(in, "pointer", &pointer))
		return fail(failure, EINVAL, "`pointer` has to be a hexadecimal string.");
	argument = map_digits(&mappings, data ? data : "", &size, is_32_bit ? MAP_32BIT : 0, failure);
	if (!argument || !patch_all(in, argument, size, &mappings, failure))
		goto unmap;
	if (data)
		pointer = (uintptr_t)argument;
	result = is_32_bit ? ioctl_of_32_bit(fd, command, pointer) : ioctl(fd, command, pointer);
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
	unmap_all(&mappings);
	return out;
}
