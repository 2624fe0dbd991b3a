/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that must be assembly: compiled code would change registers and flags
 * that the probed function or its caller still needs.
 */
#include <asm/segment.h>
#include "asm-compat.h"

/* Offsets in struct pt_regs. */
#define R11 48
#define CS 136

	.text

/*
 * ftrace_ops.func(ip, parent_ip, ops, regs), called from the SAVE_REGS
 * trampoline. On all kernels from 4.15 to 7.x that trampoline saves r11 and
 * never restores it. A function that gets an argument in r11, or a caller that
 * keeps a value there, would lose it, so this restores r11. rcx is regs. While
 * the site still has a trampoline without registers, regs is NULL or its cs is
 * 0: then there is nothing to show to a program.
 */
BP_CODE_BEGIN(bp_ftrace_stub)
	BP_HINT_FUNC
	BP_ENDBR
	test	%rcx, %rcx
	jz	1f
	cmpq	$0, CS(%rcx)
	je	1f
	push	%rcx
	/* DF is still the caller's, and compiled code copies with rep movs. */
	cld
	mov	%rcx, %rsi
	call	bp_ftrace_entry
	pop	%rcx
	mov	R11(%rcx), %r11
1:	BP_RET
BP_CODE_END(bp_ftrace_stub)

/*
 * kprobe.pre_handler. For a kprobe that the kernel puts on a __fentry__ site,
 * DF is still the caller's.
 */
BP_CODE_BEGIN(bp_kprobe_stub)
	BP_HINT_FUNC
	BP_ENDBR
	cld
	jmp	bp_kprobe_entry
BP_CODE_END(bp_kprobe_stub)

/*
 * A probed function returns here. First move the stack pointer back below the
 * word that held the return address, then build a struct pt_regs below that
 * word. No instruction may change flags before they are saved or after they are
 * restored: lea, not add. All general registers are kept, because callers of
 * assembly and of functions compiled without -pg may rely on any of them.
 */
BP_CODE_BEGIN(bp_return_trampoline)
	BP_HINT_RETURNED
	BP_NO_ENDBR
	lea	-8(%rsp), %rsp
	BP_HINT_FUNC
	pushq	$__KERNEL_DS
	pushq	%rsp
	pushfq
	pushq	$__KERNEL_CS
	pushq	$0
	pushq	$-1
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	mov	%rsp, %rdi
	call	bp_return
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	lea	24(%rsp), %rsp
	/*
	 * The ret that came here used up the return predictor's entry for the
	 * caller. A call without a return adds one for the ret below. Without
	 * it every outer return of this chain would be mispredicted.
	 */
	BP_BALANCE_RETURNS
	popfq
	lea	16(%rsp), %rsp
	BP_RET
BP_CODE_END(bp_return_trampoline)

/*
 * bp_call(function, ...): calls @function with up to four arguments. The
 * address comes from kallsyms. With indirect branch tracking, a function that
 * the kernel never calls indirectly has lost its ENDBR, so an indirect call
 * would fault. A ret needs no ENDBR.
 */
BP_FUNC_BEGIN(bp_call)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %rcx
	push	%rax
	BP_RET
BP_FUNC_END(bp_call)
	BP_NONSTANDARD(bp_call)

	.section .note.GNU-stack, "", @progbits
