/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What must be true of a whole world once it was left in peace: everyone sees the same meeting, and
 * everything that was acknowledged is in it.
 * It owns nothing. It never helps the nodes along: it only lets time pass.
 */
#pragma once

#include "tests/sim/world.h"

/*
 * Lets time pass until all running members agree and hold everything; a failure of the world, with
 * the first difference, when they do not within so long. Then checks what takes longer to look at:
 * the bytes of documents. True: all is well.
 */
bool check_settle(World *world, uint64_t within_us);

/* Waits until so many members are linked pairwise over paths of these kinds (bits 1 << kind). */
bool check_linked(World *world, unsigned kinds, uint64_t within_us);
/* Waits until everyone reaches everyone, by a way that goes through nobody twice. */
bool check_reached(World *world, uint64_t within_us);
/* How a node is linked to another: the kind of path, NONE when it is not. */
MeshPathKind check_path(const Node *node, const Node *other);
