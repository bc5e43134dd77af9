/* SPDX-License-Identifier: MPL-2.0 */
/* Whom to be linked with: the verdicts one by one. */
#include <glib.h>
#include <string.h>

#include "tests/unit/mesh_choice_key.h"

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
    return g_test_run();
}
