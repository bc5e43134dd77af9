/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/carried.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/forward.h"
#include "tests/sim/node.h"

#define HEAD_SIZE (2 * SHORT_KEY_SIZE + 2) /* before what is carried: to, from, hops, priority */
#define NAME_SIZE 16
#define KEPT_MAX  100000

typedef struct {
    uint8_t name[NAME_SIZE];
    guint32 node;
} Visit;

struct Carried {
    GHashTable *visits;
    uint64_t passed, circled;
};

/* The linker puts these in the place of the core's own, see meson.build. */
MeshError __real_forward_received(Mesh *mesh, Neighbour *from, Bytes body);
MeshError __wrap_forward_received(Mesh *mesh, Neighbour *from, Bytes body);

static guint visit_hash(gconstpointer data) {
    const Visit *visit = data;
    guint word;

    memcpy(&word, visit->name, sizeof word);
    return word ^ visit->node * 0x9e3779b1U;
}

static gboolean visit_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, sizeof(Visit)) == 0;
}

Carried *carried_create(void) {
    Carried *carried = g_new0(Carried, 1);

    carried->visits = g_hash_table_new_full(visit_hash, visit_equal, g_free, NULL);
    return carried;
}

void carried_destroy(Carried *carried) {
    g_hash_table_unref(carried->visits);
    g_free(carried);
}

/* Handshakes are sent again and again; what a session sealed, never. */
static bool is_sealed(Bytes datagram) {
    SessionKind kind;
    uint8_t phase;

    return session_peek(datagram, &kind, &phase);
}

/* The node has passed it on. */
static void note(Node *node, Bytes datagram) {
    Carried *carried = node->world->carried;
    Visit *visit = g_new0(Visit, 1);

    crypto_generichash(visit->name, NAME_SIZE, datagram.data, datagram.length, NULL, 0);
    visit->node = node->number;
    if (g_hash_table_size(carried->visits) >= KEPT_MAX)
        g_hash_table_remove_all(carried->visits);
    carried->passed++;
    if (g_hash_table_add(carried->visits, visit))
        return;
    carried->circled++;
    world_expect(node->world, !node->world->calm,
                 "%s passes a datagram on that it passed on before", node->name);
}

void carried_note(World *world) {
    world_note(world,
               "%" G_GUINT64_FORMAT " datagrams were passed on, %" G_GUINT64_FORMAT
               " of them by a node that had passed them on before",
               world->carried->passed, world->carried->circled);
}

MeshError __wrap_forward_received(Mesh *mesh, Neighbour *from, Bytes body) {
    /* The one thing a core knows of its node is where its chance comes from. */
    Node *node = (Node *)(void *)((char *)mesh->random_context - offsetof(Node, dice));
    Bytes datagram = {body.data + HEAD_SIZE, body.length - MIN(body.length, HEAD_SIZE)};
    uint64_t before = mesh->counters.forwarded;
    MeshError error = __real_forward_received(mesh, from, body);

    /* Where it is measured what passing on costs, this would be counted too. */
    if (mesh->counters.forwarded > before && is_sealed(datagram) && !node->cost_clock_ns)
        note(node, datagram);
    return error;
}
