// SPDX-License-Identifier: GPL-2.0
/* The device and its probes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include "libbprobe.h"

int bprobe_open(void)
{
	return open(BPROBE_DEVICE, O_RDWR | O_CLOEXEC);
}

static int attach(int device, struct bprobe_attach *request, const struct bprobe_options *options)
{
	request->size = sizeof(*request);
	if (options) {
		request->cookie = options->cookie;
		request->flags = options->flags;
	}
	return ioctl(device, BPROBE_IOC_ATTACH, request);
}

int bprobe_attach_symbol(int device, int prog_fd, enum bprobe_point point, const char *symbol,
			 const struct bprobe_options *options)
{
	struct bprobe_attach request = {.prog_fd = prog_fd, .point = point, .symbol = (uintptr_t)symbol};

	return attach(device, &request, options);
}

int bprobe_attach_address(int device, int prog_fd, enum bprobe_point point, uint64_t address,
			  const struct bprobe_options *options)
{
	struct bprobe_attach request = {.prog_fd = prog_fd, .point = point, .address = address};

	return attach(device, &request, options);
}

int bprobe_attach_list(int device, int prog_fd, enum bprobe_point point, const struct bprobe_function *functions,
		       uint32_t count, const struct bprobe_options *options, uint32_t *failed)
{
	struct bprobe_attach request = {
		.prog_fd = prog_fd, .point = point, .functions = (uintptr_t)functions, .count = count, .failed = count,
	};
	int probe = attach(device, &request, options);

	if (failed)
		*failed = request.failed;
	return probe;
}

int bprobe_get_info(int probe, struct bprobe_info *info)
{
	return bprobe_get_info_of(probe, 0, info);
}

int bprobe_get_info_of(int probe, uint32_t index, struct bprobe_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->index = index;
	return ioctl(probe, BPROBE_IOC_INFO, info);
}

int bprobe_check(int device, uint64_t address, struct bprobe_check *check)
{
	memset(check, 0, sizeof(*check));
	check->size = sizeof(*check);
	check->address = address;
	return ioctl(device, BPROBE_IOC_CHECK, check);
}

static const char *name_of(const char *const *names, unsigned int count, unsigned int n)
{
	return n < count ? names[n] : "?";
}

const char *bprobe_point_name(unsigned int point)
{
	static const char *const names[] = {"entry", "return"};

	return name_of(names, 2, point);
}

const char *bprobe_hook_name(unsigned int hook)
{
	static const char *const names[] = {"ftrace", "kprobe"};

	return name_of(names, 2, hook);
}

const char *bprobe_miss_name(unsigned int miss)
{
	static const char *const names[] = {"recursion", "nmi", "no rcu", "no frame", "bpf busy", "kprobe"};

	return name_of(names, BPROBE_MISS_MAX, miss);
}
