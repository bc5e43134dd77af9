/* SPDX-License-Identifier: MPL-2.0 */
/* Roll-call motions: who may vote, which ballot counts, and a result that is a pure function of
 * the opening and the close. */
#include <glib.h>
#include <string.h>

#include "mesh/meeting/motion.h"

#define VOTERS 5

typedef struct {
    Motions motions;
    Entry opening;
    MeshKey voters[VOTERS];
    uint8_t next;
} World;

static Entry entry_by(World *world, const MeshKey *author) {
    Entry entry;

    memset(&entry, 0, sizeof entry);
    entry.author = *author;
    entry.hash.bytes[0] = ++world->next;
    return entry;
}

/* Four of the five may vote. */
static void world_init(World *world) {
    static const char *const CHOICES[] = {"pour", "contre", "abstention"};
    static SealedAct act;

    memset(world, 0, sizeof *world);
    memset(&act, 0, sizeof act);
    act.kind = ACT_MOTION;
    act.motion.text = BYTES_AT("text", 4);
    act.motion.choice_count = 3;
    act.motion.voter_count = VOTERS - 1;
    for (guint i = 0; i < VOTERS; i++) {
        memset(&world->voters[i], (int)i + 1, sizeof world->voters[i]);
        if (i < 3) {
            act.motion.choices[i] = BYTES_AT(CHOICES[i], strlen(CHOICES[i]));
        }
        if (i < VOTERS - 1) {
            memcpy(act.motion.voters[i], world->voters[i].bytes, ACT_VOTER_SIZE);
        }
    }
    world->opening = entry_by(world, &world->voters[0]);
    g_assert_true(motions_open(&world->motions, &world->opening, 10, &act));
}

static const Motion *motion_of(const World *world) {
    return motions_find(&world->motions, &world->opening.hash);
}

static bool vote(World *world, guint voter, uint32_t choice, uint64_t height) {
    static SealedAct act;
    Entry entry = entry_by(world, &world->voters[voter]);

    act.kind = ACT_BALLOT;
    act.ballot.motion = world->opening.hash;
    act.ballot.choice = choice;
    return motions_ballot(&world->motions, &entry, height, &act);
}

static void close_by(World *world, guint author, bool presides, const SealedAct *act) {
    Entry entry = entry_by(world, &world->voters[author]);

    g_assert_true(motions_close(&world->motions, &entry, presides, act));
}

static void assert_result(const World *world, MeshMotionState state, const char *outcome,
                          guint pour, guint contre, guint abstention) {
    MotionResult result;

    motions_result(&world->motions, motion_of(world), &result);
    g_assert_cmpint(result.state, ==, state);
    g_assert_cmpstr(result.outcome, ==, outcome);
    g_assert_cmpuint(result.tally[0], ==, pour);
    g_assert_cmpuint(result.tally[1], ==, contre);
    g_assert_cmpuint(result.tally[2], ==, abstention);
    g_assert_cmpuint(result.counted, ==, pour + contre + abstention);
}

static void test_choices(void) {
    World world;

    world_init(&world);
    g_assert_cmpint(motion_choice(motion_of(&world), "pour"), ==, 0);
    g_assert_cmpint(motion_choice(motion_of(&world), "CONTRE"), ==, 1);
    g_assert_cmpint(motion_choice(motion_of(&world), "abst"), ==, -1);
    g_assert_cmpint(motion_choice(motion_of(&world), "abstentions"), ==, -1);
    g_assert_cmpint(motion_choice(motion_of(&world), ""), ==, -1);
    g_assert_null(motions_find(&world.motions, &(MeshHash){{99}}));
    motions_reset(&world.motions);
}

static void test_open(void) {
    World world;

    world_init(&world);
    assert_result(&world, MESH_MOTION_OPEN, "", 0, 0, 0);
    vote(&world, 0, 0, 11);
    vote(&world, 1, 1, 11);
    vote(&world, 2, 2, 12);
    vote(&world, 4, 0, 12); /* may not vote */
    vote(&world, 3, 3, 12); /* no such choice */
    assert_result(&world, MESH_MOTION_OPEN, "", 1, 1, 1);
    g_assert_false(motion_may_vote(motion_of(&world), &world.voters[4]));
    g_assert_null(motions_last_ballot(&world.motions, motion_of(&world), &world.voters[4]));
    /* The later ballot of a voter counts, whichever comes first. */
    vote(&world, 1, 0, 20);
    vote(&world, 1, 2, 15);
    assert_result(&world, MESH_MOTION_OPEN, "", 2, 0, 1);
    g_assert_cmpuint(
        motions_last_ballot(&world.motions, motion_of(&world), &world.voters[1])->height, ==, 20);
    motions_reset(&world.motions);
}

static void test_close(void) {
    static SealedAct close;
    World world;

    world_init(&world);
    vote(&world, 0, 0, 11);
    vote(&world, 1, 0, 11);
    vote(&world, 2, 1, 11);
    motions_list(&world.motions, motion_of(&world), &close);
    g_assert_cmpuint(close.close.ballot_count, ==, 3);
    close_by(&world, 1, false, &close); /* neither opener nor chair */
    assert_result(&world, MESH_MOTION_OPEN, "", 2, 1, 0);
    close_by(&world, 0, false, &close); /* the opener */
    assert_result(&world, MESH_MOTION_CLOSED, "pour", 2, 1, 0);
    /* What the close does not list counts no more, however early it says it is. */
    vote(&world, 3, 1, 11);
    vote(&world, 0, 1, 30);
    assert_result(&world, MESH_MOTION_CLOSED, "pour", 2, 1, 0);
    close_by(&world, 4, true, &close); /* the chair says the same */
    assert_result(&world, MESH_MOTION_CLOSED, "pour", 2, 1, 0);
    motions_reset(&world.motions);
}

static void test_void(void) {
    static SealedAct first, second;
    World world;

    world_init(&world);
    vote(&world, 0, 0, 11);
    motions_list(&world.motions, motion_of(&world), &first);
    vote(&world, 1, 0, 11);
    motions_list(&world.motions, motion_of(&world), &second);
    close_by(&world, 0, false, &first);
    close_by(&world, 4, true, &second);
    assert_result(&world, MESH_MOTION_VOID, "", 0, 0, 0);
    close_by(&world, 0, false, &first);
    assert_result(&world, MESH_MOTION_VOID, "", 0, 0, 0);
    motions_reset(&world.motions);
}

static void test_outcomes(void) {
    static const struct {
        uint32_t votes[VOTERS - 1];
        const char *outcome;
    } CASES[] = {{{0, 1, 2, 2}, "tie"},   {{2, 2, 2, 2}, "none"}, {{1, 1, 0, 2}, "contre"},
                 {{0, 0, 1, 1}, "tie"},   {{9, 9, 9, 9}, "none"}, {{0, 9, 9, 9}, "pour"},
                 {{2, 2, 2, 1}, "contre"}};
    static SealedAct close;

    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        MotionResult result;
        World world;

        world_init(&world);
        for (guint v = 0; v < VOTERS - 1; v++) {
            vote(&world, v, CASES[i].votes[v], 11);
        }
        motions_list(&world.motions, motion_of(&world), &close);
        close_by(&world, 0, true, &close);
        motions_result(&world.motions, motion_of(&world), &result);
        g_assert_cmpstr(result.outcome, ==, CASES[i].outcome);
        motions_reset(&world.motions);
    }
}

/* Listed, but of another motion, of no voter, or unknown: not counted. */
static void test_close_lists_nonsense(void) {
    static SealedAct close;
    World world;

    world_init(&world);
    vote(&world, 0, 0, 11);
    vote(&world, 4, 0, 11);
    close.kind = ACT_CLOSE;
    close.close.motion = world.opening.hash;
    close.close.ballot_count = 3;
    close.close.ballots[0][0] = 2;   /* the first vote */
    close.close.ballots[1][0] = 3;   /* the vote of who may not */
    close.close.ballots[2][0] = 200; /* nothing */
    close_by(&world, 0, false, &close);
    assert_result(&world, MESH_MOTION_CLOSED, "pour", 1, 0, 0);
    motions_reset(&world.motions);
}

/* A close made by hand that lists an earlier and a later ballot of one voter: one voter, one vote.
 */
static void test_close_lists_twice(void) {
    static SealedAct close;
    World world;

    world_init(&world);
    vote(&world, 0, 0, 11);
    vote(&world, 1, 0, 11);
    vote(&world, 0, 1, 12);
    close.kind = ACT_CLOSE;
    close.close.motion = world.opening.hash;
    close.close.ballot_count = 3;
    for (guint8 i = 0; i < 3; i++) {
        close.close.ballots[i][0] = (guint8)(2 + i);
    }
    close_by(&world, 4, true, &close);
    assert_result(&world, MESH_MOTION_CLOSED, "tie", 1, 1, 0);
    motions_reset(&world.motions);
}

/* One voter's flood of ballots takes no room from the others. */
static void test_limits(void) {
    static SealedAct act;
    World world;
    Entry entry;

    world_init(&world);
    for (guint i = 0; i < MESH_BALLOTS_MAX; i++) {
        g_assert_true(vote(&world, 1, 0, 11));
    }
    g_assert_false(vote(&world, 1, 0, 11));
    g_assert_true(vote(&world, 2, 0, 11));
    act.kind = ACT_MOTION;
    for (guint i = 1; i < MESH_MOTIONS_MAX; i++) {
        entry = entry_by(&world, &world.voters[0]);
        g_assert_true(motions_open(&world.motions, &entry, 1, &act));
    }
    g_assert_false(motions_open(&world.motions, &entry, 1, &act));
    motions_reset(&world.motions);
    g_assert_cmpuint(world.motions.motion_count, ==, 0);
    motions_reset(&world.motions);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/motion/choices", test_choices);
    g_test_add_func("/mesh/motion/open", test_open);
    g_test_add_func("/mesh/motion/close", test_close);
    g_test_add_func("/mesh/motion/void", test_void);
    g_test_add_func("/mesh/motion/outcomes", test_outcomes);
    g_test_add_func("/mesh/motion/close-lists-nonsense", test_close_lists_nonsense);
    g_test_add_func("/mesh/motion/close-lists-twice", test_close_lists_twice);
    g_test_add_func("/mesh/motion/limits", test_limits);
    return g_test_run();
}
