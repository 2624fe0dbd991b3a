// SPDX-License-Identifier: GPL-2.0
/* All operations of this suite. */
#include "agent.h"

const struct operation suite_operations[] = {
	{"prepare", op_prepare}, {"load", op_load}, {"unload", op_unload}, {"progExists", op_prog_exists},
	{"attach", op_attach}, {"close", op_close}, {"info", op_info}, {"listing", op_listing},
	{"symbols", op_symbols}, {"names", op_names}, {"events", op_events}, {"counters", op_counters},
	{"reset", op_reset}, {"call", op_call}, {"callInTask", op_call_in_task}, {"taskWait", op_task_wait},
	{"taskKill", op_task_kill}, {"release", op_release}, {"counts", op_counts}, {"startLoop", op_start_loop},
	{"startChurn", op_start_churn}, {"startForks", op_start_forks}, {"stopJob", op_stop_job},
	{"ioctl", op_ioctl}, {"asUser", op_as_user}, {"probeFds", op_probe_fds}, {"insmod", op_insmod},
	{"rmmod", op_rmmod}, {"crash", op_crash}, {"mark", op_mark},
	{"check", op_check}, {"match", op_match}, {"attachList", op_attach_list}, {"infoList", op_info_list},
	{"holdInTask", op_hold_in_task},
	{"fuzz", op_fuzz}, {"failing", op_failing}, {"profile", op_profile},
	{"execByThread", op_exec_by_thread}, {0},
};

void after_operation(void)
{
	close_bprobe_device();
}
