// SPDX-License-Identifier: GPL-2.0
/* What a user who is not root may do with the module. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"

#define FUNCTION "fx_c"

struct outcome {
	int become, opened, attached, checked;	/* errno of each step, 0: it succeeded */
};

/* Gives up root and all capabilities, except CAP_SYS_ADMIN if @keep_sys_admin. 0 or an errno. */
int become_user(uid_t uid, bool keep_sys_admin)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	if (keep_sys_admin)
		data[0].effective = data[0].permitted = 1u << CAP_SYS_ADMIN;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
	    syscall(SYS_capset, &header, data))
		return errno;
	return 0;
}

static int try_open(int *device)
{
	*device = bprobe_open();
	return *device < 0 ? errno : 0;
}

static void try(struct outcome *outcome, uid_t uid, bool keep_sys_admin, bool open_first, int program, uint64_t address)
{
	struct bprobe_check check;
	int device = -1, probe;

	if (open_first)
		outcome->opened = try_open(&device);
	outcome->become = become_user(uid, keep_sys_admin);
	if (outcome->become)
		return;
	if (!open_first)
		outcome->opened = try_open(&device);
	probe = bprobe_attach_address(device, program, BPROBE_ENTRY, address, NULL);
	outcome->attached = probe < 0 ? errno : 0;
	outcome->checked = bprobe_check(device, address, &check) ? errno : 0;
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "ok";
}

json_t *op_as_user(json_t *in, struct failure *failure)
{
	struct failure ignored;
	json_t *request = json_pack("{s:s}", "program", "empty"), *loaded = op_load(request, failure), *out = NULL;
	struct outcome *outcome;
	uint64_t address = 0;
	int64_t uid;
	int program, status;
	pid_t pid;

	json_decref(request);
	if (!loaded)
		return NULL;
	outcome = shared_memory(sizeof(*outcome));
	program = handle_fd(loaded, "prog", PROG, failure);
	if (!outcome) {
		fail_errno(failure, "Cannot share memory");
		goto unload;
	}
	if (!need_number(in, "uid", &uid, failure))
		goto unload;
	address = symbol_address(FUNCTION, failure);
	if (!address)
		goto unload;
	pid = fork_clean(&program, 1);
	if (!pid) {
		try(outcome, uid, json_is_true(json_object_get(in, "keepSysAdmin")),
		    json_is_true(json_object_get(in, "openFirst")), program, address);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fail_errno(failure, "Cannot run a child");
	else if (outcome->become)
		fail(failure, outcome->become, "Cannot become user %ld: %s.", (long)uid, strerror(outcome->become));
	else
		out = json_pack("{s:s, s:s, s:s}", "open", name_of(outcome->opened), "attach", name_of(outcome->attached),
				"check", name_of(outcome->checked));
unload:
	if (outcome)
		munmap(outcome, sizeof(*outcome));
	handle_close(loaded, "prog", PROG, &ignored);
	json_decref(loaded);
	return out;
}
