// SPDX-License-Identifier: GPL-2.0
/* Calls in separate tasks, which can be waited for and killed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"

/* Shared with the child, which stores the result of its call here. */
struct outcome {
	int error;
	int returned;
	struct fx_call call;
};

struct task {
	struct task *next;
	int number;
	pid_t pid;
	struct outcome *outcome;	/* NULL: the child makes no call */
};

static struct task *tasks;
static int last;

static int add(pid_t pid, struct outcome *outcome)
{
	struct task *task = malloc(sizeof(*task));

	*task = (struct task){.next = tasks, .number = ++last, .pid = pid, .outcome = outcome};
	tasks = task;
	return task->number;
}

/* Adds a child that makes no call. It can be waited for and killed as others. */
int task_add(pid_t pid)
{
	return add(pid, NULL);
}

static struct task **find(json_t *in, struct failure *failure)
{
	int64_t number;

	if (!need_number(in, "task", &number, failure))
		return NULL;
	for (struct task **task = &tasks; *task; task = &(*task)->next) {
		if ((*task)->number == number)
			return task;
	}
	fail(failure, ESRCH, "There is no task %ld.", (long)number);
	return NULL;
}

json_t *op_call_in_task(json_t *in, struct failure *failure)
{
	int device = fixtures_device(failure);
	struct outcome *outcome;
	struct fx_call call;
	pid_t pid;

	if (device < 0 || !call_from_json(in, &call, failure))
		return NULL;
	outcome = shared_memory(sizeof(*outcome));
	if (!outcome)
		return fail_errno(failure, "Cannot share memory");
	outcome->call = call;
	pid = fork_clean(&device, 1);
	if (!pid) {
		outcome->error = ioctl(device, FX_IOC_CALL, &outcome->call) ? errno : 0;
		outcome->returned = 1;
		_exit(0);
	}
	if (pid < 0) {
		munmap(outcome, sizeof(*outcome));
		return fail_errno(failure, "Cannot fork");
	}
	return json_pack("{s:i, s:i}", "task", add(pid, outcome), "pid", (int)pid);
}

static void *exec_true(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", NULL);
	_exit(127);
}

/* exec by a thread that is not the first of its process: it takes over the first one's identity. */
json_t *op_exec_by_thread(json_t *in, struct failure *failure)
{
	pthread_t thread;
	int status;
	pid_t pid;

	(void)in;
	pid = fork_clean(NULL, 0);
	if (!pid) {
		if (pthread_create(&thread, NULL, exec_true, NULL))
			_exit(126);
		pthread_join(thread, NULL);
		_exit(125);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail_errno(failure, "Cannot run a child");
	return json_pack("{s:i, s:i}", "pid", (int)pid, "status", status);
}

json_t *op_task_wait(json_t *in, struct failure *failure)
{
	struct task **found = find(in, failure), *task;
	int64_t timeout_ms;
	int status;
	json_t *out;

	if (!found || !need_number(in, "timeoutMs", &timeout_ms, failure))
		return NULL;
	task = *found;
	if (wait_for(task->pid, timeout_ms, &status))
		return fail_errno(failure, "The task goes on");
	out = json_object();
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		json_object_set_new(out, "signal", json_string(name ? name : "?"));
	} else if (task->outcome && task->outcome->returned) {
		if (task->outcome->error)
			json_object_set_new(out, "errno", json_string(strerrorname_np(task->outcome->error)));
		else
			json_object_set_new(out, "result", call_to_json(&task->outcome->call, task->pid));
	}
	if (task->outcome)
		munmap(task->outcome, sizeof(*task->outcome));
	*found = task->next;
	free(task);
	return out;
}

json_t *op_task_kill(json_t *in, struct failure *failure)
{
	static const char *const names[] = {"KILL", "TERM", "STOP", "CONT", NULL};
	static const int signals[] = {SIGKILL, SIGTERM, SIGSTOP, SIGCONT};
	struct task **task = find(in, failure);
	int choice;

	if (!task || !need_choice(in, "signal", names, &choice, failure))
		return NULL;
	if (kill((*task)->pid, signals[choice]))
		return fail_errno(failure, "Cannot signal the task");
	return json_object();
}
