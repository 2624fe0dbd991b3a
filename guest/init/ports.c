// SPDX-License-Identifier: GPL-2.0
/* Ports to the harness. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "init.h"

#define DIRECTORY "/sys/class/virtio-ports"

/* Without udev, /dev names ports only by their number in the kernel. */
static int has_name(const char *port, const char *name)
{
	char path[320], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), DIRECTORY "/%s/name", port);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file))
		text[strcspn(text, "\n")] = 0;
	fclose(file);
	return !strcmp(text, name);
}

static int try_open(const char *name)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	char path[320];
	int fd = -1;

	errno = ENOENT;
	while (directory && fd < 0 && (entry = readdir(directory))) {
		if (!has_name(entry->d_name, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (directory)
		closedir(directory);
	return fd;
}

/* Waits: a port appears some time after its driver, and is connected later still. */
int open_port(const char *name)
{
	struct pollfd port = {.fd = -1, .events = POLLOUT};

	for (int i = 0; i < 5000; i++, sleep_ms(2)) {
		if (port.fd < 0)
			port.fd = try_open(name);
		if (port.fd >= 0 && poll(&port, 1, 0) >= 0 && !(port.revents & POLLHUP))
			return port.fd;
	}
	say("probe-matrix: cannot open the port %s: %s.\n", name, strerror(port.fd < 0 ? errno : ENOTCONN));
	if (port.fd >= 0)
		close(port.fd);
	return -1;
}

/* Reads as much as possible at once: a read takes microseconds at best. */
int read_line(int port, char *line, size_t size)
{
	static char buffer[4096];
	static ssize_t filled, at;
	size_t length = 0;

	while (length < size) {
		if (at == filled) {
			at = 0;
			filled = read(port, buffer, sizeof(buffer));
		}
		if (filled <= 0) {
			/* The host is not connected, which ends the guest sooner or later. */
			filled = 0;
			sleep_ms(5);
			continue;
		}
		line[length] = buffer[at++];
		if (line[length] == '\n') {
			line[length] = 0;
			return 0;
		}
		length++;
	}
	return -1;
}
