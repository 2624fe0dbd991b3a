// SPDX-License-Identifier: GPL-2.0
/*
 * Gives this guest its own random numbers, time and keys, so that it differs
 * from all guests that started from the same memory. The harness sends them as
 * lines (harness/vm/identity.ts). Snapshots are taken while we wait for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "init.h"

#ifndef RNDRESEEDCRNG
#define RNDRESEEDCRNG _IO('R', 0x07)
#endif

#define LINE_MAX_SIZE 1024
#define AUTHORIZED_KEYS "/root/.ssh/authorized_keys"

static int digit(char text)
{
	if (text >= '0' && text <= '9')
		return text - '0';
	return text >= 'a' && text <= 'f' ? text - 'a' + 10 : -1;
}

static size_t bytes_of(const char *digits, unsigned char *bytes, size_t size)
{
	size_t length = 0;

	for (; length < size && digit(digits[0]) >= 0 && digit(digits[1]) >= 0; digits += 2)
		bytes[length++] = digit(digits[0]) << 4 | digit(digits[1]);
	return length;
}

static void take_seed(const char *digits)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[LINE_MAX_SIZE / 2];
	} pool;
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	pool.info.buf_size = bytes_of(digits, pool.bytes, sizeof(pool.bytes));
	pool.info.entropy_count = 8 * pool.info.buf_size;
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool))
		say("probe-matrix: cannot take the seed: %s.\n", strerror(errno));
	/*
	 * Without this the generator, seeded long ago, would use the new seed
	 * only after minutes. Linux 4.15 does not have this ioctl, but asks the
	 * processor for each number.
	 */
	if (fd >= 0 && ioctl(fd, RNDRESEEDCRNG) && errno != EINVAL && errno != ENOTTY)
		say("probe-matrix: cannot use the seed: %s.\n", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void take_time(const char *nanoseconds)
{
	long long ns = strtoll(nanoseconds, NULL, 10);
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	if (clock_settime(CLOCK_REALTIME, &time))
		say("probe-matrix: cannot set the clock: %s.\n", strerror(errno));
}

static void take_host_key(const char *digits)
{
	unsigned char key[LINE_MAX_SIZE / 2];
	size_t size = bytes_of(digits, key, sizeof(key));

	mkdir("/etc/dropbear", 0700);
	write_file(HOST_KEY, key, size, 0600);
}

static void take_authorized_key(const char *line)
{
	char text[LINE_MAX_SIZE + 1];

	mkdir("/root/.ssh", 0700);
	write_file(AUTHORIZED_KEYS, text, snprintf(text, sizeof(text), "%s\n", line), 0600);
}

static const struct {
	const char *word;
	void (*take)(const char *value);
} lines[] = {
	{"seed ", take_seed},
	{"time ", take_time},
	{"host-key ", take_host_key},
	{"authorized-key ", take_authorized_key},
};

static void answer(int port, const char *text)
{
	if (write(port, text, strlen(text)) < 0)
		say("probe-matrix: cannot answer the harness: %s.\n", strerror(errno));
}

static void receive(int port)
{
	char line[LINE_MAX_SIZE];

	answer(port, "who\n");
	while (!read_line(port, line, sizeof(line)) && strcmp(line, "end")) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
			if (!strncmp(line, lines[i].word, strlen(lines[i].word)))
				lines[i].take(line + strlen(lines[i].word));
		}
	}
	answer(port, "ready\n");
}

/*
 * A saved guest must not let anybody log in: its copies get keys of their own,
 * and keep no session of the original.
 */
static void forget(void)
{
	end_ssh_sessions();
	unlink(HOST_KEY);
	unlink(AUTHORIZED_KEYS);
	unlink(SSH_LOG);
}

/* After it got an identity, a guest can be told to ask for another. It is saved while it asks. */
void keep_identity(void)
{
	int port = open_port("probe-matrix.identity");
	char line[LINE_MAX_SIZE];

	if (port < 0 || fork())
		return;
	receive(port);
	for (;;) {
		if (read_line(port, line, sizeof(line)) || strcmp(line, "forget"))
			continue;
		forget();
		receive(port);
	}
}
