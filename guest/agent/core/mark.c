// SPDX-License-Identifier: GPL-2.0
/*
 * Marks the start and end of a cell in the kernel log, and reports the state of
 * the guest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core.h"

static long read_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atol(text);
}

json_t *op_mark(json_t *in, struct failure *failure)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[256];
	const char *text;

	if (log < 0)
		return fail_errno(failure, "/dev/kmsg");
	if (!need_string(in, "text", &text, failure)) {
		close(log);
		return NULL;
	}
	/* One write is one record. dprintf() would seek, which this device refuses. */
	snprintf(line, sizeof(line), "<6>probe-matrix: %s\n", text);
	if (write(log, line, strlen(line)) < 0)
		fprintf(stderr, "the kernel log takes no mark: %m\n");
	close(log);
	return json_pack("{s:I, s:o}", "taint", (json_int_t)read_number("/proc/sys/kernel/tainted"), "left",
			 leftovers());
}
