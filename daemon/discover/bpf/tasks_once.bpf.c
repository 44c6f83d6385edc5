// SPDX-License-Identifier: LGPL-2.1-or-later OR GPL-2.0-only
/*
 * The same iterator for who looks once and ends: quicker to load, slower to read.
 */
#define LOAD_QUICKLY

#include "tasks.bpf.c"
