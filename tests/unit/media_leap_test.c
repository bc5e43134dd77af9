/* SPDX-License-Identifier: MPL-2.0 */
/* Times of a source: those that leap are put back, all others stay. */
#include <glib.h>

#include "media/leap.h"

#define PIECE  10000u
#define HOURS  (10 * UINT64_C(3600000000))
#define SECOND 1000000u

/* Pieces that follow each other from a time on, each asked for when the one before is over. */
static void follow(MediaLeap *leap, guint64 given_us, guint64 due_us, guint64 now_us, guint count) {
    for (guint i = 0; i < count; i++) {
        g_assert_cmpuint(media_leap_due_us(leap, given_us, PIECE, now_us), ==, due_us);
        given_us += PIECE;
        due_us += PIECE;
        now_us += PIECE;
    }
}

static void test_even(void) {
    MediaLeap leap = {0};
    follow(&leap, 0, 0, 0, 1000);
    g_assert_cmpuint(leap.back_us, ==, 0);
}

/* A pause of a second is waited for, and so is the next. */
static void test_pause(void) {
    MediaLeap leap = {0};
    follow(&leap, 0, 0, 0, 10);
    follow(&leap, SECOND, SECOND, 10 * PIECE, 1);
    follow(&leap, 2 * SECOND, 2 * SECOND, SECOND + PIECE, 100);
    g_assert_cmpuint(leap.back_us, ==, 0);
}

/* A file that begins anywhere is played from its beginning on, and no faster. */
static void test_begins_late(void) {
    MediaLeap leap = {0};
    follow(&leap, HOURS, 0, 0, 2000);
    g_assert_cmpuint(leap.back_us, ==, HOURS);
}

/* The first pieces have the time of the clock itself, and then the clock has begun. */
static void test_race(void) {
    MediaLeap leap = {0};
    follow(&leap, HOURS, 3 * PIECE, 3 * PIECE, 3);
    follow(&leap, 6 * PIECE, 6 * PIECE, 6 * PIECE, 100);
    g_assert_cmpuint(leap.back_us, ==, 0);
}

/* What leaps again is put back again, forth and back. */
static void test_again(void) {
    MediaLeap leap = {0};
    follow(&leap, HOURS, 0, 0, 100);
    follow(&leap, 3 * HOURS, 100 * PIECE, 100 * PIECE, 100);
    follow(&leap, HOURS / 2, 200 * PIECE, 200 * PIECE, 100);
    follow(&leap, UINT64_MAX / 2, 300 * PIECE, 300 * PIECE, 100);
}

/* What comes late is due at once: it is not put back further. */
static void test_late(void) {
    MediaLeap leap = {0};
    follow(&leap, 0, 0, 0, 10);
    follow(&leap, 10 * PIECE, 10 * PIECE, 60 * SECOND, 100);
    g_assert_cmpuint(leap.back_us, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/leap/even", test_even);
    g_test_add_func("/media/leap/pause", test_pause);
    g_test_add_func("/media/leap/begins-late", test_begins_late);
    g_test_add_func("/media/leap/race", test_race);
    g_test_add_func("/media/leap/again", test_again);
    g_test_add_func("/media/leap/late", test_late);
    return g_test_run();
}
