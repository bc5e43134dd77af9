/* SPDX-License-Identifier: MPL-2.0 */
/* Whom a node looks for among more members than it has places for, and whose place it keeps. */
#include <glib.h>

#include "mesh/core.h"
#include "tests/fuzz/fuzz_roster.h"

#define MEMBERS 45
#define PLACES  40 /* more than are kept for those who are not linked with */

typedef struct {
    Mesh *mesh;
    uint64_t now_us;
    uint32_t drawn;
    MeshKey keys[MEMBERS];
} Someone;

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    Someone *someone = context;

    for (size_t i = 0; i < length; i++) {
        uint32_t word = ++someone->drawn * 2654435761u;

        ret_bytes[i] = (uint8_t)((word ^ word >> 15) * 2246822519u >> 13);
    }
}

static void step(Someone *someone, MeshEvent event) {
    uint64_t stored = 0;
    MeshEffect effect;

    event.now_us = someone->now_us;
    event.now_s = 1000000 + someone->now_us / S;
    mesh_step(someone->mesh, &event);
    while (mesh_next_effect(someone->mesh, &effect)) {
        stored = effect.kind == MESH_EFFECT_PERSIST ? effect.store.token : stored;
    }
    if (stored) {
        step(someone, (MeshEvent){.kind = MESH_EVENT_STORED, .stored = {.token = stored}});
    }
}

/* A founder who is alone, knows many, and knocked at most of them. */
static Someone *someone_new(void) {
    Someone *someone = g_new0(Someone, 1);
    MeshOptions options = {
        .name = "Alice", .device_seed = {1}, .random = draw, .random_context = someone};
    MeshIntent create = {.kind = MESH_INTENT_CREATE, .tag = 1, .text = "Cellule"};

    someone->now_us = options.now_us = 100 * S;
    someone->mesh = mesh_create(&options);
    step(someone, (MeshEvent){.kind = MESH_EVENT_LOADED_END});
    step(someone, (MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &create});
    for (guint i = 0; i < MEMBERS; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {2, (uint8_t)i};
        Neighbour *neighbour;

        someone->keys[i] = mesh_key_of_seed(seed);
        fuzz_add_member(someone->mesh, &someone->keys[i], MESH_ROLE_MEMBER);
        neighbour =
            i < PLACES ? neighbour_want(someone->mesh, &someone->keys[i], someone->mesh->psk, false)
                       : NULL;
        if (neighbour) {
            neighbour_add_address(neighbour, &(MeshPath){.kind = MESH_PATH_KNOCK,
                                                         .family = 4,
                                                         .port = (uint16_t)(1000 + i),
                                                         .ip = {198, 51, 100, 1}});
        }
    }
    company_changed(someone->mesh);
    return someone;
}

static void someone_free(Someone *someone) {
    mesh_destroy(someone->mesh);
    g_free(someone);
}

static void look(Someone *someone) {
    someone->now_us += S;
    step(someone, (MeshEvent){.kind = MESH_EVENT_TIMEOUT});
}

/* The first that has no place any more; MEMBERS: all have. */
static guint first_dropped(const Someone *someone) {
    guint i = 0;

    while (i < PLACES && neighbour_find(someone->mesh, &someone->keys[i])) {
        i++;
    }
    return i < PLACES ? i : MEMBERS;
}

/* Who is not looked for gives its place up, but not while it is about to use the keys that it was
 * just answered with. */
static void test_just_answered(void) {
    Someone *someone = someone_new();
    Neighbour *awaited;
    guint dropped;

    look(someone);
    dropped = first_dropped(someone);
    g_assert_cmpuint(dropped, <, PLACES);
    someone_free(someone);

    someone = someone_new();
    awaited = neighbour_find(someone->mesh, &someone->keys[dropped]);
    g_assert_nonnull(keyring_add(&awaited->keyring, someone->now_us, 0));
    look(someone);
    g_assert_true(neighbour_find(someone->mesh, &someone->keys[dropped]) == awaited);
    someone_free(someone);
}

/* At whom no address is known nobody knocks: those of whom one is have the turns. */
static void test_nowhere(void) {
    Someone *someone = someone_new();
    guint knocked = 0;

    for (guint i = 0; i < PLACES; i++) {
        if (i % 4 > 0) {
            neighbour_find(someone->mesh, &someone->keys[i])->address_count = 0;
        }
    }
    look(someone);
    for (guint i = 0; i < MEMBERS; i++) {
        const Neighbour *neighbour = neighbour_view_of(someone->mesh, &someone->keys[i]);
        bool knocks = neighbour && neighbour->contact == CONTACT_KNOCKING;

        g_assert_true(!knocks || neighbour->address_count > 0);
        knocked += knocks;
    }
    g_assert_cmpuint(knocked, ==, PLACES / 4);
    /* And where somebody says where it is, it is knocked at. */
    reach_hearsay(
        someone->mesh, &someone->keys[MEMBERS - 1],
        &(MeshPath){.kind = MESH_PATH_KNOCK, .family = 4, .port = 2000, .ip = {198, 51, 100, 2}});
    company_changed(someone->mesh);
    look(someone);
    g_assert_nonnull(neighbour_find(someone->mesh, &someone->keys[MEMBERS - 1]));
    someone_free(someone);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/company/just-answered", test_just_answered);
    g_test_add_func("/mesh/company/nowhere", test_nowhere);
    return g_test_run();
}
