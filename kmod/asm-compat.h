/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a kernel wants its assembly: names that changed between 4.15 and 7.x.
 */
#ifndef BPROBE_ASM_COMPAT_H
#define BPROBE_ASM_COMPAT_H

#include <linux/linkage.h>
#include <linux/version.h>
#ifdef CONFIG_UNWINDER_ORC
#include <asm/unwind_hints.h>
#endif
#if __has_include(<linux/objtool.h>)
#include <linux/objtool.h>
#elif __has_include(<linux/frame.h>)
#include <linux/frame.h>
#endif

#ifdef SYM_FUNC_START
#define BP_FUNC_BEGIN(name) SYM_FUNC_START(name)
#define BP_FUNC_END(name) SYM_FUNC_END(name)
#define BP_CODE_BEGIN(name) SYM_CODE_START(name)
#define BP_CODE_END(name) SYM_CODE_END(name)
#else
/* END, not ENDPROC: objtool checks the frame pointers of what is a function. The hint leads it to what is none. */
#define BP_FUNC_BEGIN(name) ENTRY(name) BP_HINT_FUNC
#define BP_FUNC_END(name) END(name)
#define BP_CODE_BEGIN(name) ENTRY(name)
#define BP_CODE_END(name) END(name)
#endif

/* A plain ret is unsafe where returns are patched (retbleed). */
#ifdef RET
#define BP_RET RET
#else
#define BP_RET ret
#endif

#ifdef ENDBR
#define BP_ENDBR ENDBR
#elif defined(CONFIG_X86_KERNEL_IBT)
#define BP_ENDBR endbr64
#else
#define BP_ENDBR
#endif

/*
 * BP_HINT_FUNC: the return address is on top. BP_HINT_RETURNED: a ret has just taken it off, and nothing on the stack
 * tells where to go on: an unwinder has to stop. With an offset of 0 it would find a frame that does not grow, and ORC
 * warns of a stack that goes in the wrong direction.
 */
#ifdef CONFIG_UNWINDER_ORC
#define BP_HINT_FUNC UNWIND_HINT_FUNC
#ifdef UNWIND_HINT_TYPE_UNDEFINED
#define BP_HINT_RETURNED UNWIND_HINT type=UNWIND_HINT_TYPE_UNDEFINED
#else
#ifdef UNWIND_HINT_TYPE_CALL
#define BP_HINT_TYPE UNWIND_HINT_TYPE_CALL
#else
#define BP_HINT_TYPE ORC_TYPE_CALL
#endif
#define BP_HINT_RETURNED UNWIND_HINT sp_reg=ORC_REG_UNDEFINED type=BP_HINT_TYPE
#endif
#else
#define BP_HINT_FUNC
#define BP_HINT_RETURNED
#endif

/* These say so to objtool, where there is one that would complain. */
#if defined(CONFIG_OBJTOOL) || defined(CONFIG_STACK_VALIDATION)
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 0)
/* A call that nobody returns from. */
.macro BP_BALANCE_RETURNS
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.Lbalanced\@
	int3
.Lbalanced\@:
	lea	8(%rsp), %rsp
.endm
#define BP_NONSTANDARD(name) STACK_FRAME_NON_STANDARD name
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#define BP_NO_ENDBR ANNOTATE_NOENDBR
#endif
#endif
#ifndef BP_NONSTANDARD
#define BP_NONSTANDARD(name)
/* objtool before 5.10 knows no such call, and would refuse the file's other code with it. */
.macro BP_BALANCE_RETURNS
.endm
#endif
#ifndef BP_NO_ENDBR
#define BP_NO_ENDBR
#endif

#endif
