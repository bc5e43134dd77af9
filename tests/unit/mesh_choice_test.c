/* SPDX-License-Identifier: MPL-2.0 */
/* Whom to be linked with: the verdicts one by one, then crowds of nodes that follow them. */
#include <glib.h>
#include <string.h>

#include "mesh/overlay/choice.h"

#define CROWD       250
#define SECOND_US   1000000
#define SHUN_ROUNDS 600
#define SEEDS       5

/* ---- one node ---- */

static MeshKey key_of(guint number) {
    g_autoptr(GRand) chance = g_rand_new_with_seed(number + 1);
    MeshKey key;

    for (guint i = 0; i < sizeof key.bytes; i++) {
        key.bytes[i] = (uint8_t)g_rand_int(chance);
    }
    return key;
}

static void fill(ChoiceCandidate *candidates, guint count, bool linked) {
    for (guint i = 0; i < count; i++) {
        candidates[i] = (ChoiceCandidate){.key = key_of(i + 1),
                                          .linked = linked,
                                          .direct = linked,
                                          .present = true,
                                          .degree = 5,
                                          .before = 4,
                                          .rtt_us = 20000 + 1000 * i,
                                          .age_us = 3600 * (uint64_t)SECOND_US};
    }
}

static guint count_of(const ChoiceVerdict *verdicts, guint count, ChoiceVerdict verdict) {
    guint found = 0;

    for (guint i = 0; i < count; i++) {
        found += verdicts[i] == verdict;
    }
    return found;
}

static const ChoiceSelf *self_of(bool weak, bool crowded, uint64_t calm_us) {
    static ChoiceSelf self;

    self = (ChoiceSelf){.key = key_of(0), .weak = weak, .crowded = crowded, .calm_us = calm_us};
    return &self;
}

static void test_few(void) {
    ChoiceCandidate candidates[CHOICE_ALL + 1];
    ChoiceVerdict verdicts[CHOICE_ALL + 1];

    fill(candidates, CHOICE_ALL + 1, false);
    for (guint i = 0; i < CHOICE_ALL; i++) {
        candidates[i].shunned = i % 2; /* of so few nobody is passed over */
    }
    choice_make(self_of(true, false, 0), candidates, CHOICE_ALL, verdicts);
    g_assert_cmpuint(count_of(verdicts, CHOICE_ALL, CHOICE_WANT), ==, CHOICE_ALL);
    fill(candidates, CHOICE_ALL, true);
    candidates[0].direct = false;
    candidates[0].shunned = true;
    choice_make(self_of(true, true, UINT64_MAX), candidates, CHOICE_ALL, verdicts);
    g_assert_cmpuint(count_of(verdicts, CHOICE_ALL, CHOICE_KEEP), ==, CHOICE_ALL);
    /* One more, and it is seven of them, or three. */
    fill(candidates, CHOICE_ALL + 1, false);
    choice_make(self_of(false, false, 0), candidates, CHOICE_ALL + 1, verdicts);
    g_assert_cmpuint(count_of(verdicts, CHOICE_ALL + 1, CHOICE_WANT), ==, CHOICE_TARGET);
    choice_make(self_of(true, false, 0), candidates, CHOICE_ALL + 1, verdicts);
    g_assert_cmpuint(count_of(verdicts, CHOICE_ALL + 1, CHOICE_WANT), ==, 3);
}

static void test_rank(void) {
    for (guint a = 0; a < 50; a++) {
        for (guint b = 0; b < a; b++) {
            MeshKey one = key_of(a), other = key_of(b);

            g_assert_cmpuint(choice_rank(&one, &other), ==, choice_rank(&other, &one));
        }
    }
}

/* Half by chance: the same three whatever the times are; the other half are the nearest. */
static void test_halves(void) {
    ChoiceCandidate candidates[40];
    ChoiceVerdict verdicts[40], nearer[40];
    guint same = 0;

    fill(candidates, 40, false);
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_WANT), ==, CHOICE_TARGET);
    for (guint i = 0; i < 40; i++) {
        candidates[i].rtt_us = 100000 - 1000 * i;
    }
    choice_make(self_of(false, false, 0), candidates, 40, nearer);
    for (guint i = 0; i < 40; i++) {
        same += verdicts[i] == CHOICE_WANT && nearer[i] == CHOICE_WANT;
        g_assert_true(i >= 36 || i < 4 || verdicts[i] != CHOICE_WANT || nearer[i] == CHOICE_WANT);
    }
    g_assert_cmpuint(same, >=, 3);
    /* One that turns out to be much nearer than those that are near is taken too. */
    fill(candidates, 40, true);
    for (guint i = 6; i < 40; i++) {
        candidates[i].linked = candidates[i].direct = false;
    }
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_WANT), <=, 3); /* by chance */
    candidates[30].rtt_us = 1000;
    choice_make(self_of(false, false, 0), candidates, 40, nearer);
    g_assert_cmpint(nearer[30], ==, CHOICE_WANT);
}

/* A relay is one of the seven of those whom it has by chance, and of who has hardly any link. */
static void test_one_relay(void) {
    ChoiceCandidate candidates[100];
    ChoiceVerdict verdicts[100];
    guint wanted = 0;

    for (guint relay = 3; relay < 100; relay++) {
        fill(candidates, 100, false);
        candidates[relay].relay = true;
        candidates[relay].rtt_us = 900000;
        choice_make(self_of(false, false, 0), candidates, 100, verdicts);
        g_assert_cmpuint(count_of(verdicts, 100, CHOICE_WANT), ==, CHOICE_TARGET);
        g_assert_cmpint(verdicts[relay], ==, CHOICE_WANT);
        for (guint i = 0; i < 3; i++) {
            candidates[i].linked = candidates[i].direct = true;
        }
        choice_make(self_of(false, false, 0), candidates, 100, verdicts);
        wanted += verdicts[relay] == CHOICE_WANT;
        /* It has no room, for anybody or for one more. */
        candidates[relay].weak = true;
        choice_make(self_of(false, false, 0), candidates, 100, verdicts);
        g_assert_cmpint(verdicts[relay], ==, CHOICE_REST);
    }
    g_assert_cmpuint(wanted, >, 14);
    g_assert_cmpuint(wanted, <, 40);
    candidates[99].weak = false;
    candidates[99].degree = CHOICE_RELAY_MOST;
    candidates[0].linked = candidates[0].direct = false;
    wanted = 0;
    for (guint i = 0; i < 50; i++) {
        candidates[99].key = key_of(1000 + i);
        choice_make(self_of(false, false, 0), candidates, 100, verdicts);
        wanted += verdicts[99] == CHOICE_WANT;
    }
    g_assert_cmpuint(wanted, >, 5);
    g_assert_cmpuint(wanted, <, 25);
}

static void test_surplus(void) {
    ChoiceCandidate candidates[40];
    ChoiceVerdict verdicts[40];

    fill(candidates, 40, true);
    choice_make(self_of(false, false, UINT64_MAX), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_DROP), ==, 15); /* half of what is too much, */
    choice_make(self_of(false, false, 2 * SECOND_US), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_DROP), ==, 0); /* and then one looks again */
    choice_make(self_of(false, true, 0), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_DROP), ==, 40 - CHOICE_MOST);
    for (guint i = 0; i < 40; i++) {
        candidates[i].age_us = 10 * SECOND_US; /* just linked */
    }
    choice_make(self_of(false, false, UINT64_MAX), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_DROP), ==, 0);
    for (guint i = 0; i < 40; i++) {
        candidates[i].before = 2; /* each has too few to be spared */
    }
    choice_make(self_of(false, true, UINT64_MAX), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_DROP), ==, 0);
    /* What goes through others for good goes, but where there is hardly anything else. */
    candidates[7].direct = false;
    candidates[7].shunned = true;
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpint(verdicts[7], ==, CHOICE_DROP);
    for (guint i = 0; i < 40; i++) {
        candidates[i].direct = i < 2;
        candidates[i].linked = i < 2 || i == 7;
    }
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpint(verdicts[7], ==, CHOICE_KEEP);
    /* And there it makes up for one that is lacking. */
    for (guint i = 0; i < 40; i++) {
        candidates[i].shunned = true;
    }
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_WANT), ==, 0);
    candidates[7].linked = false;
    choice_make(self_of(false, false, 0), candidates, 40, verdicts);
    g_assert_cmpuint(count_of(verdicts, 40, CHOICE_WANT), ==, 1);
}

/* What neither needs goes, also of few links; but nobody that is ours by chance. */
static void test_needless(void) {
    ChoiceCandidate candidates[8];
    ChoiceVerdict verdicts[8];
    guint dropped;

    for (guint i = 0; i < 8; i++) {
        fill(candidates, 8, true);
        candidates[i].surplus = true;
        choice_make(self_of(false, false, UINT64_MAX), candidates, 8, verdicts);
        g_assert_cmpuint(count_of(verdicts, 8, CHOICE_KEEP), ==, 8); /* of so few everyone stays */
    }
    dropped = 0;
    for (guint i = 0; i < 8; i++) {
        ChoiceCandidate more[20];
        ChoiceVerdict found[20];

        fill(more, 20, true);
        for (guint n = 8; n < 20; n++) {
            more[n].linked = more[n].direct = false;
        }
        choice_make(self_of(false, false, UINT64_MAX), more, 20, found);
        g_assert_cmpuint(count_of(found, 20, CHOICE_DROP), ==, 0);
        more[i].surplus = true;
        choice_make(self_of(false, false, UINT64_MAX), more, 20, found);
        g_assert_cmpuint(count_of(found, 20, CHOICE_DROP), ==, found[i] == CHOICE_DROP);
        dropped += found[i] == CHOICE_DROP;
        more[i].age_us = 10 * SECOND_US; /* just linked */
        choice_make(self_of(false, false, UINT64_MAX), more, 20, found);
        g_assert_cmpuint(count_of(found, 20, CHOICE_DROP), ==, 0);
    }
    g_assert_cmpuint(dropped, >=, 5);
}

/* Those nobody sees have their turns, a few at once. */
static void test_absent(void) {
    ChoiceCandidate candidates[60];
    ChoiceVerdict verdicts[60];
    guint turns[60] = {0};

    fill(candidates, 60, false);
    for (guint i = 0; i < 60; i++) {
        candidates[i].present = false;
    }
    choice_make(self_of(false, false, 0), candidates, 60, verdicts);
    g_assert_cmpuint(count_of(verdicts, 60, CHOICE_WANT), ==, CHOICE_ALONE);
    candidates[59].linked = candidates[59].direct = true;
    for (guint round = 1; round <= 150; round++) {
        choice_make(self_of(false, false, 0), candidates, 60, verdicts);
        g_assert_cmpuint(count_of(verdicts, 60, CHOICE_WANT), ==, CHOICE_KNOCK);
        for (guint i = 0; i < 59; i++) {
            bool wanted = verdicts[i] == CHOICE_WANT;

            turns[i] += wanted;
            g_assert_true(wanted || !candidates[i].knocked || candidates[i].vain);
            if (wanted || candidates[i].knocked) {
                candidates[i].turn_us = round;
            }
            candidates[i].vain = wanted && candidates[i].knocked && round % 2;
            candidates[i].knocked = wanted;
        }
    }
    for (guint i = 0; i < 59; i++) {
        g_assert_cmpuint(turns[i], >=, 5);
    }
}

/* Who is new is not looked for while the map may still tell of it. */
static void test_fresh(void) {
    ChoiceCandidate candidates[20];
    ChoiceVerdict verdicts[20];

    fill(candidates, 20, true);
    for (guint i = 10; i < 20; i++) {
        candidates[i].linked = candidates[i].direct = candidates[i].present = false;
        candidates[i].fresh = i < 18;
    }
    choice_make(self_of(false, false, 0), candidates, 20, verdicts);
    g_assert_cmpuint(count_of(verdicts, 20, CHOICE_WANT), ==, 2);
    g_assert_cmpint(verdicts[18], ==, CHOICE_WANT);
    g_assert_cmpint(verdicts[19], ==, CHOICE_WANT);
}

/* One of whom nobody can know whether it lives comes before all others, but once. */
static void test_orphan(void) {
    ChoiceCandidate candidates[30];
    ChoiceVerdict verdicts[30];

    fill(candidates, 30, true);
    for (guint i = 10; i < 30; i++) {
        candidates[i].linked = candidates[i].direct = candidates[i].present = false;
        candidates[i].knocked = i < 14;
        candidates[i].turn_us = i == 29 ? 1000 : i;
    }
    choice_make(self_of(false, false, 0), candidates, 30, verdicts);
    g_assert_cmpint(verdicts[29], ==, CHOICE_REST);
    candidates[29].orphan = true;
    choice_make(self_of(false, false, 0), candidates, 30, verdicts);
    g_assert_cmpint(verdicts[29], ==, CHOICE_WANT);
    g_assert_cmpuint(count_of(verdicts, 30, CHOICE_WANT), ==, CHOICE_KNOCK);
    candidates[29].knocked = candidates[29].vain = true;
    choice_make(self_of(false, false, 0), candidates, 30, verdicts);
    g_assert_cmpint(verdicts[29], ==, CHOICE_REST);
}

/* A hundred who see none of sixty look at first for nearly all of these, not all for the same. */
static void test_absent_by_chance(void) {
    ChoiceCandidate candidates[61];
    ChoiceVerdict verdicts[61];
    guint sought[60] = {0}, found = 0;

    for (guint node = 0; node < 100; node++) {
        ChoiceSelf self = {.key = key_of(1000 + node)};

        fill(candidates, 61, false);
        for (guint i = 0; i < 60; i++) {
            candidates[i].present = false;
        }
        candidates[60].linked = candidates[60].direct = true;
        choice_make(&self, candidates, 61, verdicts);
        for (guint i = 0; i < 60; i++) {
            sought[i] += verdicts[i] == CHOICE_WANT;
        }
    }
    for (guint i = 0; i < 60; i++) {
        found += sought[i] > 0;
    }
    g_assert_cmpuint(found, >=, 55);
}

/* ---- many ---- */

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
    g_test_add_func("/choice/few", test_few);
    g_test_add_func("/choice/rank", test_rank);
    g_test_add_func("/choice/halves", test_halves);
    g_test_add_func("/choice/one-relay", test_one_relay);
    g_test_add_func("/choice/surplus", test_surplus);
    g_test_add_func("/choice/needless", test_needless);
    g_test_add_func("/choice/absent", test_absent);
    g_test_add_func("/choice/absent-by-chance", test_absent_by_chance);
    g_test_add_func("/choice/fresh", test_fresh);
    g_test_add_func("/choice/orphan", test_orphan);
    g_test_add_func("/choice/crowd", test_crowd);
    g_test_add_func("/choice/halves-meet", test_halves_meet);
    g_test_add_func("/choice/hard", test_hard);
    g_test_add_func("/choice/relays", test_relays);
    g_test_add_func("/choice/relays-alone", test_relays_alone);
    return g_test_run();
}
