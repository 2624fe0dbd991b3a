// SPDX-License-Identifier: GPL-2.0
/*
 * Maps shared by all programs, found by name, however often each program is
 * loaded; except "self", of which each program that has one has its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "agent.h"

#define MAPS 16

static struct {
	char name[16];
	int fd;
} maps[MAPS];

int map_fd(const char *name)
{
	for (int i = 0; i < MAPS && *maps[i].name; i++) {
		if (!strcmp(maps[i].name, name))
			return maps[i].fd;
	}
	return -1;
}

/* Before an object is loaded: makes it use the maps that exist already. */
int map_prepare(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		const char *name = bpf_map__name(map);
		int fd = map_fd(name), error = 0;

		if (fd >= 0)
			error = bpf_map__reuse_fd(map, fd);
		else if (!strcmp(name, "events"))
			error = bpf_map__set_max_entries(map, EVENTS_PER_CPU * libbpf_num_possible_cpus());
		if (error)
			return error;
	}
	return 0;
}

/* After an object was loaded: keeps its new maps. */
int map_keep(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		int i;

		if (!strcmp(bpf_map__name(map), "self") || map_fd(bpf_map__name(map)) >= 0)
			continue;
		for (i = 0; i < MAPS && *maps[i].name; i++)
			;
		if (i == MAPS)
			return -ENOSPC;
		maps[i].fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
		strncpy(maps[i].name, bpf_map__name(map), sizeof(maps[i].name) - 1);
	}
	return 0;
}

/*
 * Sets the program that tail_call calls; -1 for none. The map is kept, because
 * the kernel empties one of programs when its last descriptor is closed.
 */
int map_call_next(int program)
{
	uint32_t key = 0;

	return program < 0 ? bpf_map_delete_elem(map_fd("next"), &key) :
			     bpf_map_update_elem(map_fd("next"), &key, &program, BPF_ANY);
}

uint64_t counter_runs(uint64_t cookie)
{
	uint32_t key = cookie % COUNTERS;
	struct counter counter = {};

	bpf_map_lookup_elem(map_fd("counters"), &key, &counter);
	return counter.count + counter.bad;
}
