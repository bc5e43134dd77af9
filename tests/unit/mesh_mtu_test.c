/* SPDX-License-Identifier: MPL-2.0 */
/* How large packets may be: a path that takes larger ones, less, or no more what it took. */
#include <glib.h>

#include "mesh/link/mtu.h"

#define S        UINT64_C(1000000)
#define SMALL    200
#define LARGEST  (MESH_DATAGRAM_MAX + 28)
#define TUNNEL   1400 /* the size tried after the largest */
#define FAR_US   (3600 * S)
#define MOST_S   600 /* between two times of trying in vain */
#define MINUTE_S 60

/* A path that carries so much, and how long it took. */
typedef struct {
    Mtu mtu;
    uint64_t now_us;
    uint32_t carries;
} Path;

static Path path_of(uint32_t carries) {
    Path path = {.now_us = S, .carries = carries};

    mtu_reset(&path.mtu);
    return path;
}

/* A packet leaves, and its fate is known at once. */
static void send(Path *path, uint32_t size) {
    if (mtu_is_trial(&path->mtu, size)) {
        mtu_tried(&path->mtu);
    }
    path->now_us += 1000;
    mtu_learn(&path->mtu, path->now_us, size, path->now_us - 500, size > path->carries);
}

/* As much as may be, or as is worth a trial, and a small one now and then. */
static void fill(Path *path, uint64_t for_us) {
    uint64_t until_us = path->now_us + for_us;

    while (path->now_us < until_us) {
        uint32_t wanted = mtu_wanted(&path->mtu, path->now_us);

        send(path, wanted > 0 ? wanted : mtu_limit(&path->mtu, path->now_us));
        send(path, SMALL);
        path->now_us += S / 100;
    }
}

static uint32_t limit(const Path *path) {
    return mtu_limit(&path->mtu, path->now_us);
}

/* Nothing is tried before what is taken to come through did; then the largest is. */
static void test_largest(void) {
    Path path = path_of(LARGEST);

    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0);
    send(&path, SMALL);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0);
    send(&path, MTU_BASE_SIZE);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, LARGEST);
    /* One at a time. */
    mtu_tried(&path.mtu);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0);
    mtu_learn(&path.mtu, path.now_us, LARGEST, path.now_us, false);
    g_assert_cmpuint(limit(&path), ==, LARGEST);
    g_assert_false(mtu_is_trial(&path.mtu, LARGEST));
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us + FAR_US), ==, 0);
}

/* A tunnel: the largest is lost thrice, the next is not; the largest is tried anew, ever later. */
static void test_tunnel(void) {
    Path path = path_of(TUNNEL);
    uint64_t before_us = 0, tried = 0;

    send(&path, MTU_BASE_SIZE);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, LARGEST);
        send(&path, LARGEST);
        g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
    }
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, TUNNEL);
    send(&path, TUNNEL);
    g_assert_cmpuint(limit(&path), ==, TUNNEL);
    for (uint64_t since_us = path.now_us; path.now_us < since_us + FAR_US; path.now_us += S) {
        if (mtu_wanted(&path.mtu, path.now_us) == 0) {
            continue;
        }
        g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, LARGEST);
        if (tried % 3 == 0) { /* the first of three */
            g_assert_cmpuint(path.now_us - since_us, >=, before_us + MINUTE_S * S);
            before_us = path.now_us - since_us;
        }
        tried++;
        send(&path, LARGEST);
    }
    /* After one, two, four, eight minutes, then every ten at most: of an hour eight times. */
    g_assert_cmpuint(tried, >=, 3 * 6);
    g_assert_cmpuint(tried, <=, 3 * 9);
    g_assert_cmpuint(limit(&path), ==, TUNNEL);
}

/* Nothing larger passes at all: both sizes are tried, then not for a minute. */
static void test_ordinary(void) {
    Path path = path_of(MTU_BASE_SIZE);

    send(&path, MTU_BASE_SIZE);
    for (guint i = 0; i < 6; i++) {
        g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, i < 3 ? LARGEST : TUNNEL);
        send(&path, mtu_wanted(&path.mtu, path.now_us));
    }
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us + (MINUTE_S - 1) * S), ==, 0);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us + (MINUTE_S + 1) * S), ==, LARGEST);
    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
}

/* What every path is taken to carry does not come through: only what every path carries is sent,
 * and after a minute the other is tried again. */
static void test_narrow(void) {
    Path path = path_of(MTU_SAFE_SIZE);
    uint64_t narrow_us;

    fill(&path, S);
    g_assert_cmpuint(limit(&path), ==, MTU_SAFE_SIZE);
    narrow_us = path.mtu.narrow_until_us;
    g_assert_cmpuint(narrow_us, >, path.now_us + (MINUTE_S - 2) * S);
    g_assert_cmpuint(mtu_limit(&path.mtu, narrow_us), ==, MTU_BASE_SIZE);
    /* Two minutes the next time, ten at most. */
    for (guint i = 0; i < 10; i++) {
        path.now_us = path.mtu.narrow_until_us;
        fill(&path, S);
        g_assert_cmpuint(limit(&path), ==, MTU_SAFE_SIZE);
        g_assert_cmpuint(path.mtu.narrow_until_us - path.now_us, <=, 2 * MOST_S * S);
    }
    /* It becomes wider. */
    path.carries = LARGEST;
    path.now_us = path.mtu.narrow_until_us;
    fill(&path, S);
    g_assert_cmpuint(limit(&path), ==, LARGEST);
    /* And narrow again: as long as the first time. */
    path.carries = MTU_SAFE_SIZE;
    mtu_doubt(&path.mtu);
    fill(&path, 2 * S);
    g_assert_cmpuint(limit(&path), ==, MTU_SAFE_SIZE);
    g_assert_cmpuint(path.mtu.narrow_until_us, <=, path.now_us + MINUTE_S * S);
}

/* Weather takes large and small alike: no size is to blame. */
static void test_weather(void) {
    Path path = path_of(MTU_BASE_SIZE);

    send(&path, MTU_BASE_SIZE);
    for (guint i = 0; i < 1000; i++) {
        path.carries = i % 2 ? MTU_BASE_SIZE : 0; /* a half is lost */
        send(&path, MTU_BASE_SIZE);
        send(&path, SMALL);
    }
    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
    /* An outage: nothing comes, whatever its size. */
    path.carries = 0;
    for (guint i = 0; i < 1000; i++) {
        send(&path, MTU_BASE_SIZE);
        send(&path, SMALL);
    }
    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
}

/* A path that became narrower than what was found: back to what is taken to pass, then to more. */
static void test_narrower(void) {
    Path path = path_of(LARGEST);

    fill(&path, S);
    g_assert_cmpuint(limit(&path), ==, LARGEST);
    path.carries = MTU_BASE_SIZE;
    for (guint i = 0; i < 8; i++) {
        g_assert_cmpuint(limit(&path), ==, LARGEST);
        send(&path, LARGEST);
        send(&path, SMALL);
    }
    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
    /* Not tried at once, */
    send(&path, MTU_BASE_SIZE);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0);
    /* but later. */
    path.carries = TUNNEL;
    path.now_us += (MINUTE_S + 1) * S;
    fill(&path, S);
    g_assert_cmpuint(limit(&path), ==, TUNNEL);
    /* Where nothing is answered it is doubted at once, and tried anew. */
    mtu_doubt(&path.mtu);
    g_assert_cmpuint(limit(&path), ==, MTU_BASE_SIZE);
    g_assert_cmpuint(mtu_wanted(&path.mtu, path.now_us), ==, 0); /* until one passed again */
    path.now_us += 2 * MOST_S * S;
    fill(&path, S);
    g_assert_cmpuint(limit(&path), ==, TUNNEL);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/mtu/largest", test_largest);
    g_test_add_func("/mesh/mtu/tunnel", test_tunnel);
    g_test_add_func("/mesh/mtu/ordinary", test_ordinary);
    g_test_add_func("/mesh/mtu/narrow", test_narrow);
    g_test_add_func("/mesh/mtu/weather", test_weather);
    g_test_add_func("/mesh/mtu/narrower", test_narrower);
    return g_test_run();
}
