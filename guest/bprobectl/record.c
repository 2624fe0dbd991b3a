// SPDX-License-Identifier: GPL-2.0
/* Prints the records of ring buffers and perf buffers as they come. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include "object.h"

#define BUFFERS 16
#define PAGES 64

static struct buffer {
	const char *name;
	struct ring_buffer *ring;	/* or */
	struct perf_buffer *perf;
} buffers[BUFFERS];
static int count;
static uint64_t lost;
static const struct btf *btf;
static uint32_t type;

static void print(const struct buffer *buffer, const void *data, size_t size)
{
	printf("%s: ", buffer->name);
	print_typed(btf, type, data, size);
	putchar('\n');
	fflush(stdout);
}

static int print_ring(void *buffer, void *data, size_t size)
{
	print(buffer, data, size);
	return 0;
}

static void print_perf(void *buffer, int cpu, void *data, uint32_t size)
{
	(void)cpu;
	print(buffer, data, size);
}

static void lose(void *buffer, int cpu, unsigned long long number)
{
	(void)buffer;
	(void)cpu;
	lost += number;
}

static bool open_one(const struct bpf_map *map)
{
	struct buffer *buffer = &buffers[count];

	if (count == BUFFERS)
		return complain(0, "The object has more than %d buffers", BUFFERS), false;
	buffer->name = bpf_map__name(map);
	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
		buffer->ring = ring_buffer__new(bpf_map__fd(map), print_ring, buffer, NULL);
	else
		buffer->perf = perf_buffer__new(bpf_map__fd(map), PAGES, print_perf, lose, buffer, NULL);
	if (!buffer->ring && !buffer->perf)
		return complain(errno, "Cannot read the buffer %s", buffer->name), false;
	count++;
	return true;
}

bool records_open(struct bpf_object *object, const char *name)
{
	struct bpf_map *map;
	int id;

	btf = bpf_object__btf(object);
	if (name) {
		id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) : -1;
		if (id < 0)
			return complain(0, "The object has no struct %s", name), false;
		type = id;
	}
	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF && bpf_map__type(map) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			continue;
		if (!open_one(map))
			return false;
	}
	return true;
}

static void consume(void)
{
	for (struct buffer *buffer = buffers; buffer < buffers + count; buffer++) {
		if (buffer->ring)
			ring_buffer__consume(buffer->ring);
		else
			perf_buffer__consume(buffer->perf);
	}
}

void records_wait(void)
{
	struct pollfd polled[BUFFERS];

	for (int i = 0; i < count; i++) {
		polled[i].fd = buffers[i].ring ? ring_buffer__epoll_fd(buffers[i].ring) :
						 perf_buffer__epoll_fd(buffers[i].perf);
		polled[i].events = POLLIN;
	}
	poll(polled, count, 100);
	consume();
}

void records_end(void)
{
	consume();
	if (lost)
		fprintf(stderr, "%" PRIu64 " records were lost: they came faster than they could be printed.\n", lost);
}
