/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A 32-bit program that lives for 5 ms, without the C library that a 64-bit machine may not have for it.
 */
	.globl _start
_start:
	mov	$162, %eax	/* nanosleep */
	mov	$delay, %ebx
	xor	%ecx, %ecx
	int	$0x80
	mov	$1, %eax	/* exit */
	xor	%ebx, %ebx
	int	$0x80

	.section .rodata
delay:	.long	0, 5000000

	.section .note.GNU-stack, "", @progbits
