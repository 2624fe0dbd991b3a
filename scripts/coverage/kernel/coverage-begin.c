// SPDX-License-Identifier: GPL-2.0
/* Linked before all others: the beginning of the section in which each object has a pointer to its counters. */
struct gcov_info;
struct gcov_info *coverage_begin[0] __attribute__((section(".gcov_info")));
