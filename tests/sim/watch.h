/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What must be true of a core at any time, looked at once a second of its life: its tables stay
 * within their limits, and nothing honest is found malformed.
 * It owns nothing. It never changes what it looks at.
 */
#pragma once

#include "tests/sim/world.h"

void watch_node(Node *node);
