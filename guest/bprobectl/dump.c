// SPDX-License-Identifier: GPL-2.0
/* Prints the entries of all maps of an object. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "object.h"

static bool is_zero(const char *bytes, size_t size)
{
	while (size && !bytes[size - 1])
		size--;
	return !size;
}

static bool is_per_cpu(const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);

	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY || bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool has_entries(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY:
		/* Constants do not change. */
		return !bpf_map__is_internal(map) || !strstr(bpf_map__name(map), ".rodata");
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return true;
	default:
		return false;
	}
}

static void print_values(const struct btf *btf, const struct bpf_map *map, const char *values, size_t step, int cpus)
{
	for (int cpu = 0; cpu < cpus; cpu++) {
		if (is_zero(values + cpu * step, step) && cpus > 1)
			continue;
		putchar(' ');
		if (cpus > 1)
			printf("cpu %d: ", cpu);
		print_typed(btf, bpf_map__btf_value_type_id(map), values + cpu * step, bpf_map__value_size(map));
	}
	putchar('\n');
}

/* Entries of arrays that are zero are left out: arrays hold histograms. */
static int dump_entries(const struct btf *btf, const struct bpf_map *map)
{
	int cpus = is_per_cpu(map) ? libbpf_num_possible_cpus() : 1;
	/* The kernel aligns the values of CPUs. */
	size_t step = is_per_cpu(map) ? (bpf_map__value_size(map) + 7) & ~7ul : bpf_map__value_size(map);
	char *key = calloc(2, bpf_map__key_size(map)), *next = key + bpf_map__key_size(map);
	char *values = calloc(cpus, step);
	bool is_first = true;

	while (!bpf_map_get_next_key(bpf_map__fd(map), is_first ? NULL : key, next)) {
		is_first = false;
		memcpy(key, next, bpf_map__key_size(map));
		/* Another process may have deleted it. */
		if (bpf_map_lookup_elem(bpf_map__fd(map), key, values) || (is_array(map) && is_zero(values, cpus * step)))
			continue;
		printf("  ");
		print_typed(btf, bpf_map__btf_key_type_id(map), key, bpf_map__key_size(map));
		putchar(':');
		print_values(btf, map, values, step, cpus);
	}
	free(key);
	free(values);
	return errno == ENOENT ? DONE : complain(errno, "Cannot read the map %s", bpf_map__name(map));
}

/* Kernels before 4.18 cannot walk over stacks, so each id is asked for. */
static int dump_stacks(const struct bpf_map *map)
{
	struct bprobe_symbols *symbols = bprobe_symbols_load();
	uint64_t *stack = calloc(1, bpf_map__value_size(map));
	char name[512];

	if (!symbols)
		return complain(errno, "Cannot read /proc/kallsyms");
	for (uint32_t id = 0; id < bpf_map__max_entries(map); id++) {
		if (bpf_map_lookup_elem(bpf_map__fd(map), &id, stack))
			continue;
		printf("  stack %u:\n", id);
		for (size_t i = 0; i < bpf_map__value_size(map) / sizeof(*stack) && stack[i]; i++)
			printf("    %s\n", bprobe_symbols_name(symbols, stack[i], name, sizeof(name)));
	}
	free(stack);
	bprobe_symbols_free(symbols);
	return DONE;
}

int dump_maps(struct bpf_object *object)
{
	struct bpf_map *map;
	int end = DONE;

	bpf_object__for_each_map(map, object) {
		bool is_stacks = bpf_map__type(map) == BPF_MAP_TYPE_STACK_TRACE;

		if (!is_stacks && !has_entries(map))
			continue;
		printf("map %s\n", bpf_map__name(map));
		if ((is_stacks ? dump_stacks(map) : dump_entries(bpf_object__btf(object), map)) != DONE)
			end = FAILED;
	}
	return end;
}
