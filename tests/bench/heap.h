/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What each core holds of the heap: every block that is asked for while something is done to it,
 * until it is freed. The linker puts this between the core and the allocator.
 * It owns the account. It never changes what is allocated.
 */
#pragma once

#include <stddef.h>

#include "mesh/mesh.h"

/* Bytes asked for and not freed. */
size_t heap_held(const Mesh *mesh);
