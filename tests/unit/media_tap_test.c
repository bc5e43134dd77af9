/* SPDX-License-Identifier: MPL-2.0 */
/* What is set aside for a recording: in order, counted, and lost only when nobody takes it. */
#include <glib.h>

#include "media/tap.h"

#define TICK 480

/* Sample n is n, cut. */
static void add(MediaTap *tap, guint from, guint count) {
    for (guint at = from; at < from + count; at += TICK) {
        gint16 samples[TICK];
        for (guint i = 0; i < TICK; i++) {
            samples[i] = (gint16)(at + i);
        }
        media_tap_add(tap, samples, TICK);
    }
}

static void test_order(void) {
    g_autofree MediaTap *tap = g_new0(MediaTap, 1);
    gint16 samples[1000];
    guint32 first = 0;
    gsize next = 0;
    add(tap, 0, TICK); /* closed: not kept */
    media_tap_open(tap);
    add(tap, 0, 10 * TICK);
    for (gsize count; (count = media_tap_take(tap, samples, 1000, &first)) > 0; next += count) {
        g_assert_cmpuint(first, ==, next);
        for (gsize i = 0; i < count; i++) {
            g_assert_cmpint(samples[i], ==, (gint16)(next + i));
        }
    }
    g_assert_cmpuint(next, ==, 10 * TICK);
}

static void test_closed(void) {
    g_autofree MediaTap *tap = g_new0(MediaTap, 1);
    gint16 samples[2 * TICK];
    guint32 first = 0;
    media_tap_open(tap);
    add(tap, 0, TICK);
    media_tap_close(tap);
    add(tap, TICK, TICK);
    g_assert_cmpuint(media_tap_take(tap, samples, 2 * TICK, &first), ==, TICK);
    media_tap_open(tap); /* counts anew */
    add(tap, 0, TICK);
    g_assert_cmpuint(media_tap_take(tap, samples, 2 * TICK, &first), ==, TICK);
    g_assert_cmpuint(first, ==, 0);
}

static void test_overflow(void) {
    g_autofree MediaTap *tap = g_new0(MediaTap, 1);
    g_autofree gint16 *samples = g_new(gint16, MEDIA_TAP_SAMPLES + 1);
    guint32 first = 0;
    media_tap_open(tap);
    add(tap, 0, MEDIA_TAP_SAMPLES + 3 * TICK);
    gsize count = media_tap_take(tap, samples, MEDIA_TAP_SAMPLES + 1, &first);
    g_assert_cmpuint(count, ==, MEDIA_TAP_SAMPLES);
    g_assert_cmpuint(first, ==, 3 * TICK);
    g_assert_cmpint(samples[0], ==, (gint16)(3 * TICK));
    g_assert_cmpint(samples[count - 1], ==, (gint16)(first + count - 1));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tap/order", test_order);
    g_test_add_func("/tap/closed", test_closed);
    g_test_add_func("/tap/overflow", test_overflow);
    return g_test_run();
}
