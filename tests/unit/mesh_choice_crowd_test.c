/* SPDX-License-Identifier: MPL-2.0 */
/* Whom to be linked with: crowds of nodes that follow the verdicts. */
#include <glib.h>
#include <string.h>

#include "tests/unit/mesh_choice_key.h"

#define CROWD       250
#define SHUN_ROUNDS 600
#define SEEDS       5

typedef struct {
    guint count;
    MeshKey keys[CROWD];
    bool alive[CROWD], weak[CROWD], relay[CROWD], hard[CROWD]; /* hard: two are never linked */
    int x[CROWD];                                              /* where it is */
    guint linked[CROWD][CROWD];                                /* since this round; 0: not */
    guint shunned[CROWD][CROWD];                               /* until this round */
    guint turn[CROWD][CROWD];
    guint dropped[CROWD]; /* this round it let go of one */
    guint component[CROWD];
    guint round;
    guint changes; /* in the last round */
} Crowd;

static Crowd *crowd_new(guint64 seed, guint count) {
    g_autoptr(GRand) chance = g_rand_new_with_seed((guint32)seed);
    Crowd *crowd = g_new0(Crowd, 1);

    crowd->count = count;
    crowd->round = 100;
    for (guint i = 0; i < count; i++) {
        crowd->keys[i] = key_of((guint)seed * CROWD + i);
        crowd->alive[i] = true;
        crowd->x[i] = g_rand_int_range(chance, 0, 5) * 40000 + g_rand_int_range(chance, 0, 4000);
    }
    return crowd;
}

static guint crowd_degree(const Crowd *crowd, guint node) {
    guint degree = 0;

    for (guint i = 0; i < crowd->count; i++) {
        degree += crowd->linked[node][i] > 0;
    }
    return degree;
}

static void spread(Crowd *crowd, guint node, guint component) {
    crowd->component[node] = component;
    for (guint i = 0; i < crowd->count; i++) {
        if (crowd->linked[node][i] && !crowd->component[i]) {
            spread(crowd, i, component);
        }
    }
}

/* Finds who sees whom; how many parts there are. */
static guint crowd_parts(Crowd *crowd) {
    guint parts = 0;

    memset(crowd->component, 0, sizeof crowd->component);
    for (guint i = 0; i < crowd->count; i++) {
        if (crowd->alive[i] && !crowd->component[i]) {
            spread(crowd, i, ++parts);
        }
    }
    return parts;
}

static void crowd_link(Crowd *crowd, guint a, guint b, guint since) {
    crowd->linked[a][b] = crowd->linked[b][a] = since;
    crowd->changes++;
}

/* Links of another that come before the one with this node. */
static guint crowd_before(const Crowd *crowd, guint node, guint other) {
    uint64_t ours = choice_rank(&crowd->keys[node], &crowd->keys[other]);
    guint before = 0;

    for (guint i = 0; i < crowd->count; i++) {
        before += i != node && crowd->linked[other][i] &&
                  choice_rank(&crowd->keys[other], &crowd->keys[i]) < ours;
    }
    return before;
}

static void crowd_fill(const Crowd *crowd, guint node, const guint *degrees, const guint *befores,
                       ChoiceCandidate *candidates) {
    for (guint i = 0, n = 0; i < crowd->count; i++) {
        guint since = crowd->linked[node][i];
        bool present = crowd->alive[i] && crowd->component[i] == crowd->component[node];

        if (i != node) {
            candidates[n++] = (ChoiceCandidate){
                .key = crowd->keys[i],
                .linked = since > 0,
                .direct = since > 0,
                .present = present,
                .weak = crowd->weak[i],
                .relay = crowd->relay[i],
                .shunned = crowd->round<crowd->shunned[node][i], .degree = degrees[i] - (since > 0),
                                        .before = since> 0
                               ? befores[i]
                               : 0,
                .rtt_us = (guint)ABS(crowd->x[i] - crowd->x[node]) + (since ? 2000 : 6000),
                .age_us = (uint64_t)(crowd->round - since) * SECOND_US,
                .knocked = crowd->turn[node][i] == crowd->round,
                .vain = true,
                .turn_us = crowd->turn[node][i],
            };
        }
    }
}

static void crowd_choose(Crowd *crowd, guint node, const guint *degrees, const guint *befores) {
    ChoiceCandidate candidates[CROWD];
    ChoiceVerdict verdicts[CROWD];
    ChoiceSelf self = {.key = crowd->keys[node],
                       .weak = crowd->weak[node],
                       .relay = crowd->relay[node],
                       .crowded = degrees[node] > (crowd->relay[node] ? 48 : 32),
                       .calm_us = (uint64_t)(crowd->round - crowd->dropped[node]) * SECOND_US};

    crowd_fill(crowd, node, degrees, befores, candidates);
    choice_make(&self, candidates, crowd->count - 1, verdicts);
    for (guint i = 0, n = 0; i < crowd->count; i++) {
        ChoiceVerdict verdict = i == node ? CHOICE_REST : verdicts[n++];

        if (verdict == CHOICE_WANT) {
            crowd->turn[node][i] = crowd->round + 1;
            if (crowd->alive[i] && !(crowd->hard[i] && crowd->hard[node])) {
                crowd_link(crowd, node, i, crowd->round);
            } else if (crowd->alive[i]) {
                crowd->shunned[node][i] = crowd->round + SHUN_ROUNDS;
            }
        } else if (verdict == CHOICE_DROP) {
            crowd->shunned[node][i] = crowd->shunned[i][node] = crowd->round + SHUN_ROUNDS;
            crowd->dropped[node] = crowd->round;
            crowd_link(crowd, node, i, 0);
        }
    }
}

/* A second: everyone sees what the others had, and chooses, one after the other. */
static void crowd_round(Crowd *crowd) {
    g_autofree guint *befores = g_new0(guint, CROWD * CROWD);
    guint degrees[CROWD];

    crowd->changes = 0;
    crowd->round++;
    crowd_parts(crowd);
    for (guint i = 0; i < crowd->count; i++) {
        degrees[i] = crowd_degree(crowd, i);
        for (guint other = 0; other < crowd->count; other++) {
            befores[i * CROWD + other] =
                crowd->linked[i][other] ? crowd_before(crowd, i, other) : 0;
        }
    }
    for (guint i = 0; i < crowd->count; i++) {
        if (crowd->alive[i]) {
            crowd_choose(crowd, i, degrees, befores + (gsize)i * CROWD);
        }
    }
}

static void crowd_kill(Crowd *crowd, guint node) {
    crowd->alive[node] = false;
    for (guint i = 0; i < crowd->count; i++) {
        crowd->linked[node][i] = crowd->linked[i][node] = 0;
    }
}

static void crowd_check(Crowd *crowd, guint least, guint most) {
    guint sum = 0, alive = 0;

    g_assert_cmpuint(crowd_parts(crowd), ==, 1);
    for (guint i = 0; i < crowd->count; i++) {
        guint degree = crowd_degree(crowd, i);

        if (crowd->alive[i]) {
            g_assert_cmpuint(degree, >=, least);
            g_assert_cmpuint(degree, <=, most);
            sum += degree;
            alive++;
        }
    }
    g_test_message("%u nodes, %.2f links each", alive, (double)sum / alive);
}

/* Until nobody changes anything for longer than a link let go is shunned. */
static void crowd_rest(Crowd *crowd, guint within) {
    guint calm = 0;

    for (guint i = 0; calm < SHUN_ROUNDS + 100 && i < within; i++) {
        crowd_round(crowd);
        calm = crowd->changes ? 0 : calm + 1;
    }
    g_assert_cmpuint(calm, >=, SHUN_ROUNDS + 100);
}

/* They come one by one, all by way of the first. */
static void gather(Crowd *crowd) {
    for (guint i = 1; i < crowd->count; i++) {
        crowd->alive[i] = false;
    }
    for (guint i = 1; i < crowd->count; i++) {
        crowd->alive[i] = true;
        crowd_link(crowd, 0, i, crowd->round);
        if (i % 10 == 0) {
            crowd_round(crowd);
            g_assert_cmpuint(crowd_degree(crowd, 0), <=, MESH_PEERS_MAX);
        }
    }
}

static void test_crowd(void) {
    for (guint seed = 0; seed < SEEDS; seed++) {
        g_autoptr(GRand) chance = g_rand_new_with_seed(seed);
        g_autofree Crowd *crowd = crowd_new(seed, CROWD);

        gather(crowd);
        for (guint i = 0; i < 30; i++) {
            crowd_round(crowd);
        }
        crowd_check(crowd, 3, 32);
        if (seed == 0) {
            crowd_rest(crowd, 4000);
            crowd_check(crowd, 3, CHOICE_MOST + 3);
        }
        for (guint i = 0; i < CROWD; i++) {
            if (g_rand_int_range(chance, 0, 100) < 30) {
                crowd_kill(crowd, i);
            }
        }
        for (guint i = 0; i < 8; i++) {
            crowd_round(crowd);
        }
        crowd_check(crowd, 3, 32);
    }
}

/* Both halves know of each other, and cannot see one another for a while. */
static void test_halves_meet(void) {
    g_autofree Crowd *crowd = crowd_new(7, 100);

    for (guint i = 0; i < 100; i++) {
        crowd->alive[i] = i < 50;
    }
    for (guint i = 0; i < 20; i++) {
        crowd_round(crowd);
    }
    crowd_check(crowd, 3, 24);
    for (guint i = 0; i < 100; i++) {
        crowd->alive[i] = true; /* the rest begins, each alone */
    }
    for (guint i = 0; i < 15; i++) {
        crowd_round(crowd);
    }
    crowd_check(crowd, 3, 32);
}

/* Most are weak, and most can be linked with few. */
static void test_hard(void) {
    g_autofree Crowd *crowd = crowd_new(11, 60);

    for (guint i = 0; i < 60; i++) {
        crowd->weak[i] = i % 3 == 0;
        crowd->hard[i] = i >= 6;
    }
    gather(crowd);
    for (guint round = 0; round < 2 * SHUN_ROUNDS; round++) {
        crowd_round(crowd);
        crowd_check(crowd, round < 60 ? 1 : 3, 59);
    }
}

/* One that is here to carry is linked with as many as it should, and nobody else with more. */
static void test_relays(void) {
    g_autofree Crowd *crowd = crowd_new(13, CROWD);

    crowd->relay[40] = crowd->relay[90] = true;
    gather(crowd);
    for (guint i = 0; i < 200; i++) {
        crowd_round(crowd);
    }
    crowd_check(crowd, 3, 48);
    for (guint i = 0; i < CROWD; i++) {
        g_assert_true(crowd->relay[i] ? crowd_degree(crowd, i) >= 24
                                      : crowd_degree(crowd, i) <= 2 * CHOICE_MOST);
    }
}

/* Members who can be linked with no other member at all are brought together by two relays. */
static void test_relays_alone(void) {
    g_autofree Crowd *crowd = crowd_new(17, 60);

    for (guint i = 0; i < 60; i++) {
        crowd->relay[i] = i < 2;
        crowd->hard[i] = i >= 2;
        crowd->weak[i] = i % 5 == 4;
    }
    gather(crowd);
    for (guint round = 0; round < 2 * SHUN_ROUNDS; round++) {
        crowd_round(crowd);
        g_assert_cmpuint(crowd_parts(crowd), ==, 1);
    }
    crowd_check(crowd, 1, 59);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/choice/crowd", test_crowd);
    g_test_add_func("/choice/halves-meet", test_halves_meet);
    g_test_add_func("/choice/hard", test_hard);
    g_test_add_func("/choice/relays", test_relays);
    g_test_add_func("/choice/relays-alone", test_relays_alone);
    return g_test_run();
}
