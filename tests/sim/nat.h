/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A home router: hosts behind it share one public address, and only who was written to may answer.
 * It owns the mappings; one that is not used for a minute is forgotten. It never carries anything,
 * and knows no hairpin: what is sent to its own public address from inside is lost.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"
#include "tests/sim/dice.h"

typedef enum {
    NAT_NONE,      /* hosts have public addresses */
    NAT_CONE,      /* one public port for each inner one; answers by address and port */
    NAT_SYMMETRIC, /* a public port for each inner one and destination */
} NatKind;

typedef struct Nat Nat;

Nat *nat_create(NatKind kind, const uint8_t ip[4], uint64_t seed);
void nat_destroy(Nat *nat);
NatKind nat_kind(const Nat *nat);

/* Something leaves from `inner` to `remote`: the public address it is seen from. */
MeshPath nat_out(Nat *nat, uint64_t now_us, const MeshPath *inner, const MeshPath *remote);
/* Whose mapping a public address is; false: nobody's. It does not say whether it may pass. */
bool nat_owner(const Nat *nat, uint64_t now_us, const MeshPath *public, MeshPath *ret_inner);
/* Something from `remote` reaches a public address: whether it passes, which keeps the mapping. */
bool nat_in(Nat *nat, uint64_t now_us, const MeshPath *public, const MeshPath *remote);
/* Restarted: every mapping is forgotten, and the public address is another one. */
void nat_rebind(Nat *nat, const uint8_t ip[4]);
