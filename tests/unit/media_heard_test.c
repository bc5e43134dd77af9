/* SPDX-License-Identifier: MPL-2.0 */
/* What is played, in memory that two processes share: where it is found, and where there is none.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/heard.h"

#define PIECE 480

static MediaHeard *open_new(int *ret_descriptor) {
    int descriptor = media_heard_make();
    g_assert_cmpint(descriptor, >=, 0);
    MediaHeard *heard = media_heard_open(descriptor);
    g_assert_nonnull(heard);
    *ret_descriptor = descriptor;
    return heard;
}

/* A piece whose samples count up from `first`. */
static void write_piece(MediaHeard *heard, uint64_t place, gint16 first) {
    gint16 samples[PIECE];
    for (gint i = 0; i < PIECE; i++) {
        samples[i] = (gint16)(first + i);
    }
    media_heard_write(heard, place, samples, PIECE);
}

static gint16 sample_at(const MediaHeard *heard, uint64_t place) {
    gint16 sample = -1;
    media_heard_read(heard, place, &sample, 1);
    return sample;
}

static void test_place(void) {
    g_assert_cmpuint(media_heard_place(0), ==, 0);
    g_assert_cmpuint(media_heard_place(1000), ==, 48);
    g_assert_cmpuint(media_heard_place(1500), ==, 72);
    /* Ten milliseconds are 480 samples from wherever they begin, after years too. */
    for (guint64 time_us = G_GUINT64_CONSTANT(1) << 50, i = 0; i < 1000; i++) {
        g_assert_cmpuint(media_heard_place(time_us + i + 10000) - media_heard_place(time_us + i),
                         ==, PIECE);
    }
}

static void test_found(void) {
    int descriptor = -1;
    MediaHeard *heard = open_new(&descriptor);
    uint64_t place = media_heard_place(G_GUINT64_CONSTANT(123456789012));
    g_assert_cmpint(sample_at(heard, place), ==, 0);
    write_piece(heard, place, 1);
    write_piece(heard, place + PIECE, 1001);
    g_assert_cmpint(sample_at(heard, place - 1), ==, 0);
    g_assert_cmpint(sample_at(heard, place), ==, 1);
    g_assert_cmpint(sample_at(heard, place + PIECE - 1), ==, PIECE);
    g_assert_cmpint(sample_at(heard, place + PIECE), ==, 1001);
    g_assert_cmpint(sample_at(heard, place + 2 * PIECE), ==, 0);
    gint16 samples[PIECE];
    media_heard_read(heard, place + PIECE / 2, samples, PIECE);
    g_assert_cmpint(samples[0], ==, 1 + PIECE / 2);
    g_assert_cmpint(samples[PIECE - 1], ==, 1000 + PIECE / 2);
    media_heard_close(heard);
    close(descriptor);
}

/* A pause is silence, and so is what a player that began anew has not played yet. */
static void test_gaps(void) {
    int descriptor = -1;
    MediaHeard *heard = open_new(&descriptor);
    uint64_t place = 1 << 30;
    write_piece(heard, place, 1);
    write_piece(heard, place + 10 * PIECE, 1);
    g_assert_cmpint(sample_at(heard, place), ==, 1);
    g_assert_cmpint(sample_at(heard, place + PIECE), ==, 0);
    g_assert_cmpint(sample_at(heard, place + 10 * PIECE - 1), ==, 0);
    g_assert_cmpint(sample_at(heard, place + 10 * PIECE), ==, 1);
    write_piece(heard, place + 5 * PIECE, 501);
    g_assert_cmpint(sample_at(heard, place + 5 * PIECE), ==, 501);
    g_assert_cmpint(sample_at(heard, place + 10 * PIECE), ==, 0);
    /* A place that makes no sense harms nothing, nor what comes after it. */
    write_piece(heard, UINT64_MAX - 10, 1);
    g_assert_cmpint(sample_at(heard, UINT64_MAX - 10), ==, 1);
    g_assert_cmpint(sample_at(heard, place + 5 * PIECE), ==, 0);
    write_piece(heard, place + 20 * PIECE, 1);
    g_assert_cmpint(sample_at(heard, place + 20 * PIECE), ==, 1);
    g_assert_cmpint(sample_at(heard, place + 20 * PIECE - 1), ==, 0);
    media_heard_close(heard);
    close(descriptor);
}

static void test_old(void) {
    int descriptor = -1;
    MediaHeard *heard = open_new(&descriptor);
    uint64_t place = 5, next = place;
    for (guint i = 0; i < 1000; i++, next += PIECE) {
        write_piece(heard, next, 7);
    }
    g_assert_cmpint(sample_at(heard, next - MEDIA_HEARD_READ_MAX), !=, 0);
    g_assert_cmpint(sample_at(heard, next - MEDIA_HEARD_READ_MAX - 1), ==, 0);
    g_assert_cmpint(sample_at(heard, place), ==, 0);
    media_heard_close(heard);
    close(descriptor);
}

static void test_shared(void) {
    int descriptor = -1;
    MediaHeard *heard = open_new(&descriptor);
    pid_t child = fork();
    if (child == 0) {
        MediaHeard *theirs = media_heard_open(descriptor);
        if (theirs != NULL) {
            write_piece(theirs, 4800, 3);
        }
        _exit(theirs == NULL);
    }
    int status = -1;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(sample_at(heard, 4800), ==, 3);
    /* Neither can take it from the other. */
    g_assert_cmpint(ftruncate(descriptor, 0), ==, -1);
    media_heard_close(heard);
    close(descriptor);
}

static void test_refused(void) {
    int other = memfd_create("other", 0);
    g_assert_null(media_heard_open(-1));
    g_assert_cmpint(errno, ==, EBADF);
    g_assert_null(media_heard_open(other));
    g_assert_cmpint(errno, ==, EINVAL);
    media_heard_close(NULL);
    close(other);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heard/place", test_place);
    g_test_add_func("/heard/found", test_found);
    g_test_add_func("/heard/gaps", test_gaps);
    g_test_add_func("/heard/old", test_old);
    g_test_add_func("/heard/shared", test_shared);
    g_test_add_func("/heard/refused", test_refused);
    return g_test_run();
}
