/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/spread.h"

#include <string.h>

typedef struct {
    uint8_t hash[MESH_HASH_SIZE];
    guint32 node, from;
} Step;

struct Spread {
    GHashTable *steps; /* of Step: by hash and node */
};

static guint step_hash(gconstpointer data) {
    const Step *step = data;
    guint word;

    memcpy(&word, step->hash, sizeof word);
    return word ^ step->node * 0x9e3779b1U;
}

static gboolean step_equal(gconstpointer a, gconstpointer b) {
    const Step *one = a, *other = b;

    return one->node == other->node && memcmp(one->hash, other->hash, sizeof one->hash) == 0;
}

Spread *spread_create(void) {
    Spread *spread = g_new0(Spread, 1);

    spread->steps = g_hash_table_new_full(step_hash, step_equal, g_free, NULL);
    return spread;
}

void spread_destroy(Spread *spread) {
    if (!spread)
        return;
    g_hash_table_unref(spread->steps);
    g_free(spread);
}

void spread_note(Spread *spread, unsigned node, unsigned from, const uint8_t *hash) {
    Step *step = g_new0(Step, 1);

    step->node = node;
    step->from = from;
    memcpy(step->hash, hash, sizeof step->hash);
    if (g_hash_table_contains(spread->steps, step))
        g_free(step); /* the disk was full, or lost it */
    else
        g_hash_table_add(spread->steps, step);
}

unsigned spread_hops(const Spread *spread, unsigned node, const MeshHash *entry) {
    unsigned hops = 0;
    Step wanted = {.node = node};
    const Step *step;

    memcpy(wanted.hash, entry->bytes, sizeof wanted.hash);
    while ((step = g_hash_table_lookup(spread->steps, &wanted)) && step->from != step->node &&
           hops < NETWORK_HOSTS) {
        wanted.node = step->from;
        hops++;
    }
    return hops;
}
