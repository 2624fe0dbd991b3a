/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent of this suite: attaches probes by libbprobe, calls the fixtures,
 * and runs jobs in threads and processes.
 */
#ifndef AGENT_H
#define AGENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core.h"
#include "events.h"
#include "fixtures.h"
#include "libbprobe.h"

/* handles.c: numbers for descriptors and other things. */
enum kind { PROG, PROBE, KINDS };
int handle_add(enum kind kind, int fd);
int handle_fd(json_t *in, const char *name, enum kind kind, struct failure *failure);	/* -1: failed */
int handle_close(json_t *in, const char *name, enum kind kind, struct failure *failure);
int bprobe_device(struct failure *failure);	/* open until the request ends; -1: failed */
int fixtures_device(struct failure *failure);
void close_bprobe_device(void);
void close_devices(void);

/* process.c: forks that keep no copies of probes. */
extern pthread_mutex_t fork_lock;	/* held while a fork has copies, and to close a probe for good */
pid_t fork_clean(const int *keep, int count);
void *shared_memory(size_t size);
int wait_for(pid_t pid, int64_t timeout_ms, int *status);	/* 0, or -1 with errno */
uint64_t now_ns(void);
void sleep_us(uint64_t us);

/* calls.c */
extern const char *const target_names[], *const context_names[];
extern const char *const point_names[];
bool call_from_json(json_t *in, struct fx_call *call, struct failure *failure);
json_t *call_to_json(const struct fx_call *call, pid_t pid);

/* maps.c: maps that all programs share. */
struct bpf_object;
int map_prepare(struct bpf_object *object);
int map_keep(struct bpf_object *object);
int map_fd(const char *name);		/* -1: no loaded program had it */
int map_call_next(int program);
uint64_t counter_runs(uint64_t cookie);

/* programs.c */
struct bpf_object *program_open(const char *directory, const char *name, struct failure *failure);	/* NULL: failed */
int program_load(struct bpf_object *object);	/* 0, or a negative errno */
const char *program_complaint(void);		/* the last warning of libbpf */

/* jobs.c */
struct job {
	bool stop;
	pthread_t thread;
	void (*run)(struct job *job);
	json_t *(*report)(struct job *job);	/* called after run(); frees nothing */
	void *data;				/* freed after the report */
};
json_t *job_start(struct job job, struct failure *failure);
bool job_stopped(struct job *job);

/* attempt.c: an attach, or a load of bprobe. */
struct attempt {
	bool is_load;
	uint32_t fail_flags;	/* which allocations count: those of struct fx_fail */
	int file, device, program, point;
	struct bprobe_function *functions;
	size_t count;
};
bool attempt_from_json(json_t *in, struct attempt *attempt, struct failure *failure);
void attempt_free(struct attempt *attempt);
int attempt_attach(const struct attempt *attempt);	/* the probe, or -1 with errno */
int attempt_once(const struct attempt *attempt);	/* 0 or an errno; a success is undone */

/* ops, by file */
op_function op_crash;								/* crash.c */
op_function op_load, op_unload, op_prog_exists;					/* programs.c */
op_function op_attach, op_close, op_info, op_listing, op_probe_fds;		/* probes.c */
op_function op_hook, op_unhook, op_hook_misses;					/* hooks.c */
op_function op_trace, op_untrace, op_traced;					/* trace.c */
op_function op_check, op_match, op_attach_list, op_info_list, op_hold_in_task;	/* many.c */
op_function op_fuzz;								/* fuzz.c */
op_function op_failing;								/* failing.c */
op_function op_disturbed;							/* disturbed.c */
op_function op_profile;								/* profile.c */
op_function op_symbols, op_names;						/* symbols.c */
op_function op_events, op_counters, op_reset;					/* events.c */
op_function op_call, op_release, op_keep, op_nest, op_counts, op_check_lies;			/* calls.c */
op_function op_call_in_task, op_task_wait, op_task_kill, op_exec_by_thread;	/* tasks.c */
op_function op_stop_job;							/* jobs.c */
op_function op_start_loop, op_start_churn, op_start_forks, op_start_staying;	/* loop.c churn.c forks.c stay.c */
op_function op_ioctl;								/* raw.c */
op_function op_as_user;								/* users.c */
struct bprobe_function *functions_of(json_t *in, size_t *count, struct failure *failure);	/* many.c */
int become_user(uid_t uid, bool keep_sys_admin);					/* users.c: 0 or an errno */
int task_add(pid_t pid);								/* tasks.c */
uint64_t symbol_address(const char *name, struct failure *failure);	/* 0: failed */
bool symbol_name(uint64_t address, char *name, size_t size, struct failure *failure);	/* without its module */
int hooks_left(void);								/* hooks.c */
void clear_direction_flag(int more);						/* hooks.c */
struct fx_hit *traced_hits(long *total);					/* trace.c */
void forget_traced(void);							/* trace.c */
void forget_symbols(void);							/* symbols.c */
uint32_t btf_arguments(const char *symbol);	/* btf.c: UINT32_MAX: not known */
void forget_module_btf(void);							/* btf.c */

#endif
