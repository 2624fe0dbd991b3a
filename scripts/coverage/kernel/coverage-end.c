// SPDX-License-Identifier: GPL-2.0
/* Linked after all others. */
struct gcov_info;
struct gcov_info *coverage_end[0] __attribute__((section(".gcov_info")));
