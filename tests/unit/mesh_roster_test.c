/* SPDX-License-Identifier: MPL-2.0 */
/* Who may do what to the roster, and that a late act asks to fold again just when it must. */
#include <sodium.h>

#include "mesh/meeting/roster.h"
#include "tests/unit/mesh_writer.h"

enum { FOUNDER, MEMBER, GUEST, STRANGER, PEOPLE };

typedef struct {
    Roster roster;
    Identity people[PEOPLE], tickets[3];
    uint64_t height;
    uint8_t next;
} World;

static void world_free(World *world) {
    roster_finish(&world->roster);
    g_free(world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static bool apply_at(World *world, guint author, uint64_t height, const PublicAct *act,
                     bool *ret_refold) {
    Place place = {.height = height, .hash = {{++world->next}}};
    Entry entry = {.author = world->people[author].key, .hash = place.hash, .key_id = {42}};

    return roster_apply(&world->roster, &entry, &place, act, ret_refold);
}

/* At the end of the common order, where nothing asks to fold again but an expulsion. */
static bool apply(World *world, guint author, const PublicAct *act) {
    bool refold;
    bool applied = apply_at(world, author, ++world->height, act, &refold);

    g_assert_true(!refold || act->kind == ACT_EXPEL);
    return applied;
}

static PublicAct invite(const World *world, guint ticket, MeshRole role) {
    PublicAct act;

    memset(&act, 0, sizeof act);
    act.kind = ACT_INVITE;
    act.invite.ticket[0] = (uint8_t)(ticket + 1);
    memcpy(act.invite.public_key, world->tickets[ticket].key.bytes, 32);
    act.invite.role = role;
    act.invite.uses = 2;
    act.invite.expires_at = 1000;
    return act;
}

static PublicAct admit(const World *world, guint ticket, guint who) {
    PublicAct act;

    memset(&act, 0, sizeof act);
    act.kind = ACT_ADMIT;
    act.admit.key = world->people[who].key;
    act.admit.ticket[0] = (uint8_t)(ticket + 1);
    domain_sign(&world->tickets[ticket], "ticket proof", NULL, BYTES_OF(act.admit.key.bytes),
                act.admit.proof);
    return act;
}

static PublicAct expel(const World *world, guint who) {
    PublicAct act;

    memset(&act, 0, sizeof act);
    act.kind = ACT_EXPEL;
    act.expel.has_key = true;
    act.expel.key = world->people[who].key;
    act.expel.all_tickets = true;
    act.expel.has_epoch = true;
    act.expel.epoch_key_id[0] = (uint8_t)(100 + who);
    return act;
}

/* The founder, a member and a guest. */
static World *world_new(void) {
    World *world = g_new0(World, 1);
    PublicAct genesis, act;

    memset(&genesis, 0, sizeof genesis);
    genesis.kind = ACT_GENESIS;
    roster_reset(&world->roster);
    for (guint i = 0; i < PEOPLE + 3; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {(uint8_t)i};

        identity_init(i < PEOPLE ? &world->people[i] : &world->tickets[i - PEOPLE], seed);
    }
    g_assert_true(apply(world, FOUNDER, &genesis));
    g_assert_false(apply(world, MEMBER, &genesis));
    act = invite(world, 0, MESH_ROLE_MEMBER);
    g_assert_true(apply(world, FOUNDER, &act));
    act = invite(world, 1, MESH_ROLE_GUEST);
    g_assert_true(apply(world, FOUNDER, &act));
    act = admit(world, 0, MEMBER);
    g_assert_true(apply(world, FOUNDER, &act));
    act = admit(world, 1, GUEST);
    g_assert_true(apply(world, MEMBER, &act));
    world->height = 10;
    return world;
}

static void test_admit(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = admit(world, 0, STRANGER);

    g_assert_cmpuint(roster_size(&world->roster), ==, 3);
    g_assert_cmpint(roster_find(&world->roster, &world->people[FOUNDER].key)->role, ==,
                    MESH_ROLE_FOUNDER);
    g_assert_cmpint(roster_find(&world->roster, &world->people[MEMBER].key)->role, ==,
                    MESH_ROLE_MEMBER);
    g_assert_cmpint(roster_find(&world->roster, &world->people[GUEST].key)->role, ==,
                    MESH_ROLE_GUEST);
    g_assert_null(roster_find(&world->roster, &world->people[STRANGER].key));
    g_assert_cmpint(world->roster.current_key[0], ==, 42);

    g_assert_false(apply(world, STRANGER, &act)); /* admits itself */
    act.admit.proof[3] ^= 1;
    g_assert_false(apply(world, MEMBER, &act));
    act = admit(world, 0, STRANGER);
    act.admit.ticket[0] = 2; /* the proof is of another ticket */
    g_assert_false(apply(world, MEMBER, &act));
    act.admit.ticket[0] = 77;
    g_assert_false(apply(world, MEMBER, &act));
    act = admit(world, 0, GUEST); /* there already */
    g_assert_false(apply(world, MEMBER, &act));
    g_assert_cmpint(roster_find(&world->roster, &world->people[GUEST].key)->role, ==,
                    MESH_ROLE_GUEST);
    g_assert_cmpuint(roster_size(&world->roster), ==, 3);
    act = admit(world, 0, STRANGER);
    g_assert_true(apply(world, GUEST, &act)); /* whoever it was met by */
    g_assert_cmpuint(roster_size(&world->roster), ==, 4);
}

static void test_invite(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = invite(world, 2, MESH_ROLE_MEMBER);
    Invite *ticket;

    g_assert_false(apply(world, GUEST, &act));
    g_assert_false(apply(world, STRANGER, &act));
    g_assert_true(apply(world, MEMBER, &act));
    g_assert_false(apply(world, MEMBER, &act)); /* the same again */
    ticket = roster_invite(&world->roster, act.invite.ticket);
    g_assert_cmpint(roster_invite_state(ticket, 1000), ==, MESH_OK);
    g_assert_cmpint(roster_invite_state(ticket, 1001), ==, MESH_ERROR_TICKET_EXPIRED);
    ticket->used = 2;
    g_assert_cmpint(roster_invite_state(ticket, 1000), ==, MESH_ERROR_TICKET_USED);
    ticket->revoked = true;
    g_assert_cmpint(roster_invite_state(ticket, 1001), ==, MESH_ERROR_TICKET_REVOKED);
}

static void test_used(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = admit(world, 1, STRANGER);
    const Invite *ticket = roster_invite(&world->roster, act.admit.ticket);

    g_assert_cmpuint(ticket->used, ==, 1);
    g_assert_true(apply(world, FOUNDER, &act));
    g_assert_cmpuint(ticket->used, ==, 2);
    g_assert_cmpint(roster_invite_state(ticket, 0), ==, MESH_ERROR_TICKET_USED);
}

static void test_expel(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = expel(world, GUEST);
    uint8_t tag[JOURNAL_TAG_SIZE] = {7};
    bool refold;

    g_assert_false(apply(world, MEMBER, &act));
    g_assert_cmpuint(roster_size(&world->roster), ==, 3);
    act = expel(world, FOUNDER);
    g_assert_false(apply(world, FOUNDER, &act));
    act = expel(world, GUEST);
    act.expel.cut_count = 1;
    memcpy(act.expel.cuts[0].tag, tag, sizeof tag);
    act.expel.cuts[0].count = 5;
    g_assert_true(apply_at(world, FOUNDER, 20, &act, &refold));
    g_assert_true(refold);
    g_assert_cmpuint(roster_size(&world->roster), ==, 2);
    g_assert_true(roster_find(&world->roster, &world->people[GUEST].key)->expelled);
    g_assert_cmpuint(world->roster.epoch, ==, 1);
    g_assert_cmpint(world->roster.current_key[0], ==, 100 + GUEST);
    g_assert_false(roster_is_cut(&world->roster, &world->people[GUEST].key, tag, 4));
    g_assert_true(roster_is_cut(&world->roster, &world->people[GUEST].key, tag, 5));
    tag[0]++;
    g_assert_true(roster_is_cut(&world->roster, &world->people[GUEST].key, tag, 0));
    g_assert_false(roster_is_cut(&world->roster, &world->people[MEMBER].key, tag, 0));

    /* Said again, it is nothing new; an older one begins an epoch that does not count. */
    g_assert_true(apply_at(world, FOUNDER, 21, &act, &refold));
    g_assert_false(refold);
    act = expel(world, MEMBER);
    g_assert_true(apply_at(world, FOUNDER, 15, &act, &refold));
    g_assert_true(refold);
    g_assert_cmpint(world->roster.current_key[0], ==, 100 + GUEST);
    g_assert_cmpuint(world->roster.epoch, ==, 3);

    /* Of one who is not in the roster yet. */
    act = expel(world, STRANGER);
    g_assert_true(apply(world, FOUNDER, &act));
    g_assert_cmpuint(world->roster.expelled_count, ==, 3);
}

static void test_revoke(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = invite(world, 2, MESH_ROLE_MEMBER), revoke;
    bool refold;

    g_assert_true(apply(world, MEMBER, &act));
    memset(&revoke, 0, sizeof revoke);
    revoke.kind = ACT_EXPEL;
    revoke.expel.all_tickets = true;
    apply(world, MEMBER, &revoke); /* one's own only */
    g_assert_true(world->roster.invites[2].revoked);
    g_assert_false(world->roster.invites[0].revoked);
    revoke.expel.all_tickets = false;
    revoke.expel.ticket[0] = 1;
    apply(world, MEMBER, &revoke);
    g_assert_false(world->roster.invites[0].revoked);
    apply(world, FOUNDER, &revoke);
    g_assert_true(world->roster.invites[0].revoked);
    g_assert_false(world->roster.invites[1].revoked);

    /* One published before the revocation, though it comes after it. */
    act = invite(world, 2, MESH_ROLE_MEMBER);
    act.invite.ticket[0] = 9;
    g_assert_true(apply_at(world, MEMBER, 11, &act, &refold));
    g_assert_true(refold);
    act.invite.ticket[0] = 10;
    g_assert_true(apply_at(world, MEMBER, 50, &act, &refold));
    g_assert_false(refold);
}

/* What an author wrote before it was admitted counts for nothing. */
static void test_author(void) {
    g_autoptr(World) world = world_new();
    const Member *member = roster_find(&world->roster, &world->people[MEMBER].key);
    Place before = member->admitted, after = member->admitted;
    PublicAct act = invite(world, 2, MESH_ROLE_MEMBER);
    bool refold;

    before.height--;
    after.height++;
    g_assert_null(roster_author(&world->roster, &world->people[MEMBER].key, &before));
    g_assert_null(roster_author(&world->roster, &world->people[MEMBER].key, &member->admitted));
    g_assert_true(roster_author(&world->roster, &world->people[MEMBER].key, &after) == member);
    g_assert_null(roster_author(&world->roster, &world->people[STRANGER].key, &after));
    g_assert_false(apply_at(world, MEMBER, before.height, &act, &refold));
}

/* An ADMIT before its INVITE, the same device admitted earlier, a ticket published again. */
static void test_late(void) {
    g_autoptr(World) world = world_new();
    PublicAct act = admit(world, 2, STRANGER);
    bool refold;

    g_assert_false(apply_at(world, MEMBER, 20, &act, &refold));
    g_assert_false(refold);
    act = invite(world, 2, MESH_ROLE_MEMBER);
    g_assert_true(apply_at(world, MEMBER, 15, &act, &refold));
    g_assert_true(refold);
    act = admit(world, 0, GUEST);
    g_assert_false(apply_at(world, MEMBER, 30, &act, &refold));
    g_assert_false(refold);
    act = admit(world, 0, GUEST);
    g_assert_false(apply_at(world, FOUNDER, 4, &act, &refold));
    g_assert_true(refold);

    /* A copy of a ticket by another member puts nobody down. */
    act = invite(world, 0, MESH_ROLE_RELAY);
    g_assert_true(apply_at(world, MEMBER, 40, &act, &refold));
    g_assert_true(refold);
    act = admit(world, 0, STRANGER);
    g_assert_true(apply_at(world, GUEST, 50, &act, &refold));
    g_assert_cmpint(roster_find(&world->roster, &world->people[STRANGER].key)->role, ==,
                    MESH_ROLE_MEMBER);
}

static void test_limits(void) {
    g_autoptr(World) world = world_new();
    PublicAct act;
    bool refold;

    for (guint i = 0; i < 2 * MESH_INVITES_MAX; i++) {
        act = invite(world, 2, MESH_ROLE_MEMBER);
        act.invite.ticket[1] = (uint8_t)i;
        act.invite.ticket[2] = (uint8_t)(i >> 8);
        g_assert_true(apply_at(world, MEMBER, 100 + i, &act, &refold) ==
                      (i < MESH_INVITES_MAX - 2));
    }
    for (guint i = 0; i < 2 * MESH_MEMBERS_MAX; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8), 9};

        identity_init(&world->people[STRANGER], seed);
        act = admit(world, 0, STRANGER);
        g_assert_true(apply_at(world, MEMBER, 1000 + i, &act, &refold) ==
                      (i < MESH_MEMBERS_MAX - 3));
        act = expel(world, STRANGER);
        act.expel.cut_count = MESH_CUTS_MAX;
        for (guint c = 0; c < MESH_CUTS_MAX; c++) {
            act.expel.cuts[c] = (ActCut){.tag = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)c}};
            act.expel.cuts[c].count = 1;
        }
        apply_at(world, FOUNDER, 2000 + i, &act, &refold);
    }
    g_assert_cmpuint(world->roster.expelled_count, ==, MESH_MEMBERS_MAX);
    g_assert_cmpuint(world->roster.cut_count, ==, MESH_ROSTER_CUTS_MAX);
    g_assert_cmpuint(roster_size(&world->roster), ==, 3);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/roster/admit", test_admit);
    g_test_add_func("/mesh/roster/invite", test_invite);
    g_test_add_func("/mesh/roster/used", test_used);
    g_test_add_func("/mesh/roster/expel", test_expel);
    g_test_add_func("/mesh/roster/revoke", test_revoke);
    g_test_add_func("/mesh/roster/author", test_author);
    g_test_add_func("/mesh/roster/late", test_late);
    g_test_add_func("/mesh/roster/limits", test_limits);
    return g_test_run();
}
