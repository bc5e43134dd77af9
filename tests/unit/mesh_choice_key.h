/* SPDX-License-Identifier: MPL-2.0 */
/* Keys of made-up nodes: the same for the same number, and as far apart as real ones. */
#pragma once

#include <glib.h>

#include "mesh/overlay/choice.h"

#define SECOND_US 1000000

static inline MeshKey key_of(guint number) {
    g_autoptr(GRand) chance = g_rand_new_with_seed(number + 1);
    MeshKey key;

    for (guint i = 0; i < sizeof key.bytes; i++) {
        key.bytes[i] = (uint8_t)g_rand_int(chance);
    }
    return key;
}
