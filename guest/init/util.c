// SPDX-License-Identifier: GPL-2.0
/* Helpers for all files of init; they call none of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "init.h"

void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (fd >= 0) {
		if (write(fd, line, strlen(line)) < 0)
			errno = 0;
		close(fd);
	}
}

void sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

int write_file(const char *path, const void *data, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int failed = fd < 0 || write(fd, data, size) != (ssize_t)size;

	if (failed)
		say("probe-matrix: cannot write %s: %s.\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return failed ? -1 : 0;
}
