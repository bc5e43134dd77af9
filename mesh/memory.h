/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Small helpers around malloc for what grows with the journal.
 * It owns nothing. It is never called for a packet.
 */
#pragma once

#include "mesh/bytes.h"

/* Makes an array half as long again when it is full; false, and unchanged, when memory is short. */
bool memory_grow(void **array, size_t *capacity, size_t count, size_t size);
/* The same of secrets: what is left behind is wiped. */
bool memory_grow_secret(void **array, size_t *capacity, size_t count, size_t size);
/* A terminated copy; NULL when memory is short. The caller frees. */
char *memory_text(Bytes text);
/* A copy of at least one byte; NULL when memory is short. The caller frees. */
void *memory_copy(const void *data, size_t length);
