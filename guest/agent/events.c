// SPDX-License-Identifier: GPL-2.0
/* Reads what the programs have stored in their maps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "agent.h"

static json_t *regs_json(const uint64_t regs[BPROBE_REGS_WORDS])
{
	static const char *const names[BPROBE_REGS_WORDS] = {
		"r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di",
		"orig_ax", "ip", "cs", "flags", "sp", "ss",
	};
	json_t *object = json_object();

	for (int i = 0; i < BPROBE_REGS_WORDS; i++)
		json_object_set_new(object, names[i], hex(regs[i]));
	return object;
}

static json_t *stack_json(int32_t id)
{
	uint64_t entries[STACK_WORDS] = {};
	const char *name;
	json_t *stack;

	if (id < 0) {
		name = strerrorname_np(-id);
		return json_string(name ? name : "?");
	}
	if (bpf_map_lookup_elem(map_fd("stacks"), &id, entries))
		return json_string(strerrorname_np(errno));
	stack = json_array();
	for (int i = 0; i < STACK_WORDS && entries[i]; i++)
		json_array_append_new(stack, hex(entries[i]));
	return stack;
}

static json_t *words_json(const __u64 *words, int count)
{
	json_t *array = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(array, hex(words[i]));
	return array;
}

static json_t *event_json(const struct event *event, int sequence)
{
	const struct bprobe_ext *ext = &event->ext;

	return json_pack("{s:i, s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequence", sequence,
			 "timeNs", hex(event->time_ns), "cpu", (int)event->cpu, "pid", (int)(event->pid_tgid >> 32),
			 "tid", (int)(uint32_t)event->pid_tgid, "regs", regs_json((const uint64_t *)event->regs),
			 "slot", hex(event->slot), "cookie", hex(ext->cookie), "function", hex(ext->function),
			 "caller", hex(ext->caller), "entry", regs_json((const uint64_t *)ext->entry), "stack",
			 words_json(ext->stack, BPROBE_STACK_WORDS), "callStack", stack_json(event->stack_id));
}

/* A hit of plain ftrace, as if `record` had run. */
static struct event event_of_hit(const struct fx_hit *hit)
{
	struct event event = {
		.time_ns = hit->time_ns, .pid_tgid = (uint64_t)hit->pid << 32 | hit->tid, .cpu = hit->cpu,
		.stack_id = -EOPNOTSUPP, .slot = hit->stack[0],
		.ext = {.cookie = hit->cookie, .function = hit->function, .caller = hit->stack[0]},
	};

	memcpy(event.regs, hit->regs, sizeof(event.regs));
	memcpy(event.ext.entry, hit->regs, sizeof(event.ext.entry));
	memcpy(event.ext.stack, hit->stack + 1, sizeof(event.ext.stack));
	return event;
}

static int by_time(const void *a, const void *b)
{
	const struct event *first = a, *second = b;

	return first->time_ns < second->time_ns ? -1 : first->time_ns > second->time_ns;
}

/* The number of runs of `record` on each CPU. malloc()ed; NULL if it was never loaded. */
static uint64_t *cursors_of(int *cpus)
{
	uint64_t *cursors;
	uint32_t key = 0;

	*cpus = libbpf_num_possible_cpus();
	if (*cpus <= 0 || map_fd("cursors") < 0)
		return NULL;
	cursors = calloc(*cpus, sizeof(*cursors));
	bpf_map_lookup_elem(map_fd("cursors"), &key, cursors);
	return cursors;
}

json_t *op_events(json_t *in, struct failure *failure)
{
	json_t *array = json_array();
	uint64_t *cursors, lost = 0, total = 0, room = 0;
	struct event *events;
	struct fx_hit *hits;
	long traced;
	int cpus;

	(void)in;
	(void)failure;
	cursors = cursors_of(&cpus);
	for (int cpu = 0; cursors && cpu < cpus; cpu++)
		room += cursors[cpu] < EVENTS_PER_CPU ? cursors[cpu] : EVENTS_PER_CPU;
	hits = traced_hits(&traced);
	events = calloc(room + traced + 1, sizeof(*events));
	for (int cpu = 0; cursors && cpu < cpus; cpu++) {
		for (uint64_t run = 0; run < cursors[cpu]; run++) {
			uint32_t key = cpu * EVENTS_PER_CPU + run;

			if (run >= EVENTS_PER_CPU)
				break;
			/* A run that has begun but not ended yet has no time. */
			if (!bpf_map_lookup_elem(map_fd("events"), &key, &events[total]))
				total++;
		}
		if (cursors[cpu] > EVENTS_PER_CPU)
			lost += cursors[cpu] - EVENTS_PER_CPU;
	}
	for (long i = 0; i < traced; i++) {
		if (hits[i].time_ns)
			events[total++] = event_of_hit(&hits[i]);
		else
			lost++;
	}
	qsort(events, total, sizeof(*events), by_time);
	for (uint64_t i = 0; i < total; i++)
		json_array_append_new(array, event_json(&events[i], i));
	free(events);
	free(hits);
	free(cursors);
	return json_pack("{s:o, s:I}", "events", array, "lost", (json_int_t)lost);
}

json_t *op_counters(json_t *in, struct failure *failure)
{
	struct counter counter = {};
	int64_t cookie;
	uint32_t key;
	json_t *out;

	if (!need_number(in, "cookie", &cookie, failure))
		return NULL;
	key = (uint64_t)cookie % COUNTERS;
	if (map_fd("counters") >= 0 && bpf_map_lookup_elem(map_fd("counters"), &key, &counter))
		return fail_errno(failure, "Cannot read the counters");
	out = json_pack("{s:I, s:I, s:o, s:o}", "count", (json_int_t)counter.count, "bad", (json_int_t)counter.bad,
			"last", hex(counter.last), "result", hex(counter.result));
	if (counter.bad)
		json_object_set_new(out, "firstBad", regs_json((const uint64_t *)counter.first_bad));
	return out;
}

static void clear_stacks(int stacks)
{
	uint32_t key, next;

	if (stacks < 0)
		return;
	/*
	 * Delete all possible keys: walking them needs Linux 4.18, and a
	 * missing key does no harm.
	 */
	for (key = 0; key < STACKS; key++) {
		next = key;
		bpf_map_delete_elem(stacks, &next);
	}
}

json_t *op_reset(json_t *in, struct failure *failure)
{
	struct counter zero = {};
	uint64_t *cursors;
	uint32_t key = 0;
	int cpus;

	(void)in;
	(void)failure;
	forget_traced();
	cursors = cursors_of(&cpus);
	if (cursors) {
		bool used = false;

		for (int cpu = 0; cpu < cpus; cpu++) {
			used |= cursors[cpu];
			cursors[cpu] = 0;
		}
		bpf_map_update_elem(map_fd("cursors"), &key, cursors, BPF_ANY);
		if (used)
			clear_stacks(map_fd("stacks"));
	}
	free(cursors);
	/* The map holds the program. */
	map_call_next(-1);
	for (key = 0; key < COUNTERS && map_fd("counters") >= 0; key++)
		bpf_map_update_elem(map_fd("counters"), &key, &zero, BPF_ANY);
	return json_object();
}
