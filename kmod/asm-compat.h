/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Assembly for all kernels: names that changed between 4.15 and 7.x.
 */
#ifndef BPROBE_ASM_COMPAT_H
#define BPROBE_ASM_COMPAT_H

#include <linux/linkage.h>
#include <linux/version.h>
/* ORC needs unwind hints, and so does an objtool that looks for unreachable code on kernels with frame pointers. */
#if defined(CONFIG_UNWINDER_ORC) || defined(CONFIG_OBJTOOL)
#define BP_HINTS
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
/*
 * END, not ENDPROC: objtool would check the frame pointers of a function. The
 * hint makes it look at code that is not marked as a function.
 */
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
 * BP_HINT_FUNC: the return address is on top of the stack. BP_HINT_RETURNED: a
 * ret has just popped it, and nothing on the stack names the caller, so an
 * unwinder must stop. With an offset of 0 it would find a frame that does not
 * grow, and ORC warns of a stack that goes in the wrong direction.
 */
#ifdef BP_HINTS
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

/* Annotations for an objtool that would complain without them. */
#if defined(CONFIG_OBJTOOL) || defined(CONFIG_STACK_VALIDATION)
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 0)
/* A call without a return. */
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
/* objtool before 5.10 does not know such a call, and would reject all code of the file. */
.macro BP_BALANCE_RETURNS
.endm
#endif
#ifndef BP_NO_ENDBR
#define BP_NO_ENDBR
#endif

#endif
