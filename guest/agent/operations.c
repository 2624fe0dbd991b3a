// SPDX-License-Identifier: GPL-2.0
/* All operations of this suite, and what the core asks of it. */
#include <string.h>
#include <sys/ioctl.h>
#include "agent.h"

const struct operation suite_operations[] = {
	{"load", op_load}, {"unload", op_unload}, {"progExists", op_prog_exists},
	{"attach", op_attach}, {"trace", op_trace}, {"untrace", op_untrace}, {"traced", op_traced}, {"hook", op_hook}, {"unhook", op_unhook}, {"hookMisses", op_hook_misses}, {"close", op_close}, {"info", op_info}, {"listing", op_listing},
	{"symbols", op_symbols}, {"names", op_names}, {"events", op_events}, {"counters", op_counters},
	{"reset", op_reset}, {"call", op_call}, {"callInTask", op_call_in_task}, {"taskWait", op_task_wait},
	{"taskKill", op_task_kill}, {"release", op_release}, {"keep", op_keep}, {"nest", op_nest}, {"counts", op_counts}, {"checkLies", op_check_lies}, {"startLoop", op_start_loop},
	{"startChurn", op_start_churn}, {"startForks", op_start_forks}, {"startStaying", op_start_staying}, {"stopJob", op_stop_job},
	{"ioctl", op_ioctl}, {"asUser", op_as_user}, {"probeFds", op_probe_fds}, {"crash", op_crash},
	{"check", op_check}, {"match", op_match}, {"attachList", op_attach_list}, {"infoList", op_info_list},
	{"holdInTask", op_hold_in_task},
	{"fuzz", op_fuzz}, {"failing", op_failing}, {"disturbed", op_disturbed}, {"profile", op_profile},
	{"execByThread", op_exec_by_thread}, {0},
};

/* Only symbols of the fixtures are looked up, and reading all symbols takes a second. */
void before_module_change(const char *module)
{
	close_devices();
	if (strcmp(module, "fixtures"))
		return;
	forget_symbols();
	forget_module_btf();
}

static int count_probe(const struct bprobe_listed *listed, void *argument)
{
	(void)listed;
	++*(int *)argument;
	return 0;
}

json_t *leftovers(void)
{
	json_t *left = json_array();
	struct fx_counts counts = {0};
	struct failure ignored;
	int probes = 0, device = fixtures_device(&ignored);

	/* Fails while bprobe is not loaded; then there are none. */
	if (!bprobe_list(count_probe, &probes) && probes)
		json_array_append_new(left, json_sprintf("%d probes are still attached", probes));
	if (hooks_left())
		json_array_append_new(left, json_sprintf("%d hooks are still attached", hooks_left()));
	if (device >= 0)
		ioctl(device, FX_IOC_COUNTS, &counts);
	if (counts.waiting)
		json_array_append_new(left, json_sprintf("%d tasks still wait inside a target", (int)counts.waiting));
	return left;
}

void after_operation(void)
{
	close_bprobe_device();
}
