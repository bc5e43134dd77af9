/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/nat.h"

#include <string.h>

#define LIFE_US (60 * G_USEC_PER_SEC)

typedef struct {
    MeshPath inner;
    MeshPath public;
    MeshPath remote; /* the only one, when symmetric */
    GArray *allowed; /* of MeshPath: who was written to, when cone */
    uint64_t used_us;
} Mapping;

struct Nat {
    NatKind kind;
    uint8_t ip[4];
    GPtrArray *mappings; /* of Mapping, in the order made */
    Dice dice;
};

static void mapping_destroy(gpointer data) {
    Mapping *mapping = data;

    g_array_free(mapping->allowed, TRUE);
    g_free(mapping);
}

Nat *nat_create(NatKind kind, const uint8_t ip[4], uint64_t seed) {
    Nat *nat = g_new0(Nat, 1);

    nat->kind = kind;
    memcpy(nat->ip, ip, sizeof nat->ip);
    nat->mappings = g_ptr_array_new_with_free_func(mapping_destroy);
    emulator_random_init(&nat->dice, seed);
    return nat;
}

void nat_destroy(Nat *nat) {
    g_ptr_array_free(nat->mappings, TRUE);
    g_free(nat);
}

NatKind nat_kind(const Nat *nat) {
    return nat->kind;
}

static bool is_live(const Mapping *mapping, uint64_t now_us) {
    return now_us - mapping->used_us < LIFE_US;
}

static Mapping *find_public(const Nat *nat, uint64_t now_us, const MeshPath *public) {
    for (guint i = 0; i < nat->mappings->len; i++) {
        Mapping *mapping = g_ptr_array_index(nat->mappings, i);

        if (is_live(mapping, now_us) && mesh_path_equal(&mapping->public, public))
            return mapping;
    }
    return NULL;
}

static Mapping *find_inner(const Nat *nat, uint64_t now_us, const MeshPath *inner,
                           const MeshPath *remote) {
    for (guint i = 0; i < nat->mappings->len; i++) {
        Mapping *mapping = g_ptr_array_index(nat->mappings, i);

        if (is_live(mapping, now_us) && mesh_path_equal(&mapping->inner, inner) &&
            (nat->kind == NAT_CONE || mesh_path_equal(&mapping->remote, remote)))
            return mapping;
    }
    return NULL;
}

static void forget_dead(Nat *nat, uint64_t now_us) {
    for (guint i = nat->mappings->len; i-- > 0;)
        if (!is_live(g_ptr_array_index(nat->mappings, i), now_us))
            g_ptr_array_remove_index(nat->mappings, i);
}

static Mapping *map(Nat *nat, uint64_t now_us, const MeshPath *inner, const MeshPath *remote) {
    Mapping *mapping = g_new0(Mapping, 1);

    forget_dead(nat, now_us);
    mapping->inner = *inner;
    mapping->remote = *remote;
    mapping->public = (MeshPath){.kind = MESH_PATH_KNOCK, .family = 4};
    memcpy(mapping->public.ip, nat->ip, sizeof nat->ip);
    do
        mapping->public.port = (uint16_t)dice_between(&nat->dice, 1024, 65535);
    while (find_public(nat, now_us, &mapping->public));
    mapping->allowed = g_array_new(FALSE, FALSE, sizeof(MeshPath));
    mapping->used_us = now_us;
    g_ptr_array_add(nat->mappings, mapping);
    return mapping;
}

static bool allows(const Mapping *mapping, const MeshPath *remote) {
    for (guint i = 0; i < mapping->allowed->len; i++)
        if (mesh_path_equal(&g_array_index(mapping->allowed, MeshPath, i), remote))
            return true;
    return false;
}

MeshPath nat_out(Nat *nat, uint64_t now_us, const MeshPath *inner, const MeshPath *remote) {
    Mapping *mapping = find_inner(nat, now_us, inner, remote);

    if (!mapping)
        mapping = map(nat, now_us, inner, remote);
    mapping->used_us = now_us;
    if (!allows(mapping, remote))
        g_array_append_val(mapping->allowed, *remote);
    return mapping->public;
}

bool nat_owner(const Nat *nat, uint64_t now_us, const MeshPath *public, MeshPath *ret_inner) {
    const Mapping *mapping = find_public(nat, now_us, public);

    if (mapping)
        *ret_inner = mapping->inner;
    return mapping;
}

bool nat_in(Nat *nat, uint64_t now_us, const MeshPath *public, const MeshPath *remote) {
    Mapping *mapping = find_public(nat, now_us, public);

    if (!mapping || !allows(mapping, remote))
        return false;
    mapping->used_us = now_us;
    return true;
}

void nat_rebind(Nat *nat, const uint8_t ip[4]) {
    memcpy(nat->ip, ip, sizeof nat->ip);
    g_ptr_array_set_size(nat->mappings, 0);
}
