// SPDX-License-Identifier: GPL-2.0
/* Loads an object file. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include "events.h"
#include "object.h"

#define ENTRIES 10240
#define RINGBUF_BYTES (256 << 10)

static bool is_named(const struct bpf_program *program, const char *name)
{
	return !fnmatch(name, bpf_program__name(program), 0) || !fnmatch(name, bpf_program__section_name(program), 0);
}

/* Loads only the programs that were named. */
static bool choose(struct bpf_object *object, const struct object_options *options)
{
	struct bpf_program *program;

	if (options->names[0]) {
		bpf_object__for_each_program(program, object)
			bpf_program__set_autoload(program, false);
	}
	for (const char *const *name = options->names; *name; name++) {
		bool found = false;

		bpf_object__for_each_program(program, object) {
			if (!is_named(program, *name))
				continue;
			bpf_program__set_autoload(program, true);
			found = true;
		}
		if (!found)
			return complain(0, "%s holds no program or section %s", options->file, *name), false;
	}
	return true;
}

static bool is_of_kind(const char *section, const char *kind)
{
	size_t length = strlen(kind);

	return !strncmp(section, kind, length) && (section[length] == '/' || !section[length]);
}

enum bprobe_point object_point(const struct bpf_program *program)
{
	return is_of_kind(bpf_program__section_name(program), "kretprobe") ? BPROBE_RETURN : BPROBE_ENTRY;
}

bool object_place(const struct bpf_program *program, const char **function)
{
	const char *name = bpf_program__name(program), *section = bpf_program__section_name(program);
	const char *slash = strchr(section, '/');

	*function = slash ? slash + 1 : "";
	if (!is_of_kind(section, "kprobe") && !is_of_kind(section, "kretprobe"))
		complain(0, "The program %s is for %s, not for kprobe or kretprobe; choose others by --name", name, section);
	else if (!**function)
		complain(0, "The section of the program %s names no function; give one", name);
	else if (strchr(*function, '+'))
		complain(0, "The program %s is for %s, but probes are at entry and return only", name, *function);
	else
		return true;
	return false;
}

/* Checks what was chosen before the kernel sees it. */
static bool check(struct bpf_object *object, const struct object_options *options)
{
	struct bpf_program *program;
	const char *function;
	int count = 0;

	bpf_object__for_each_program(program, object) {
		if (!bpf_program__autoload(program))
			continue;
		count++;
		if (options->by_section) {
			if (!object_place(program, &function))
				return false;
		} else if (bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC) {
			/* Any name of a section will do. */
			bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
		} else if (bpf_program__type(program) != BPF_PROG_TYPE_KPROBE) {
			return complain(0, "The program %s is for %s, not of the kind kprobe", bpf_program__name(program),
					bpf_program__section_name(program)), false;
		}
	}
	return count > 0 || (complain(0, "%s holds no program", options->file), false);
}

/* Sizes that an object leaves to who loads it: of stacks, and of tables. */
static void complete_maps(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		enum bpf_map_type type = bpf_map__type(map);

		if (type == BPF_MAP_TYPE_STACK_TRACE && !bpf_map__value_size(map))
			bpf_map__set_value_size(map, STACK_WORDS * sizeof(uint64_t));
		/* libbpf knows how many a perf buffer has. */
		if (type == BPF_MAP_TYPE_RINGBUF && !bpf_map__max_entries(map))
			bpf_map__set_max_entries(map, RINGBUF_BYTES);
		else if (type != BPF_MAP_TYPE_PERF_EVENT_ARRAY && !bpf_map__max_entries(map))
			bpf_map__set_max_entries(map, ENTRIES);
	}
}

struct bpf_object *object_load(const struct object_options *options)
{
	struct bpf_object *object = bpf_object__open_file(options->file, NULL);

	if (!object)
		return complain(errno, "Cannot open %s", options->file), NULL;
	if (!choose(object, options) || !check(object, options))
		return NULL;
	for (const char *const *set = options->sets; *set; set++) {
		if (!object_set(object, *set))
			return NULL;
	}
	complete_maps(object);
	if (bpf_object__load(object))
		return complain(errno, "The kernel does not accept %s", options->file), NULL;
	if (options->pin && bpf_object__pin_maps(object, options->pin))
		return complain(errno, "Cannot pin the maps in %s", options->pin), NULL;
	return object;
}
