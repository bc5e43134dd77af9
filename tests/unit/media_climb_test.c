/* SPDX-License-Identifier: MPL-2.0 */
/* The ladder of pictures on the lines it is for, its trials, and what is told of it. */
#include <glib.h>

#include "media/climb.h"

static MediaVideoRung settle(MediaKind kind, MediaUplink line, uint32_t voice_bps, unsigned rung) {
    for (int i = 0; i < 10; i++) {
        rung = media_climb_rung(kind, &line, voice_bps, rung).rung;
    }
    return media_climb_rung(kind, &line, voice_bps, rung);
}

static void test_lines(void) {
    MediaUplink good = {5000000, 0, 5, 0}, line = {128000, 50, 80, 0}, thin = {24000, 100, 300, 0};
    unsigned rung = media_climb_first(MEDIA_KIND_VIDEO).rung;
    for (int i = 0; i < 10; i++) {
        rung = media_climb_rung(MEDIA_KIND_VIDEO, &good, 48000, rung).rung;
    }
    g_assert_cmpuint(media_climb_rung(MEDIA_KIND_VIDEO, &good, 48000, rung).height, ==, 360);
    MediaVideoRung now = media_climb_rung(MEDIA_KIND_VIDEO, &line, 30000, rung);
    g_assert_cmpint(now.way, ==, MEDIA_WAY_VIDEO);
    g_assert_cmpuint(now.height, <=, 180);
    /* Voice is served first. */
    g_assert_cmpuint(now.wire_bps + 30000, <=, line.rate_bps);
    g_assert_cmpint(media_climb_rung(MEDIA_KIND_VIDEO, &thin, 10000, rung).way, ==,
                    MEDIA_WAY_STILLS);
    g_assert_cmpint(media_climb_rung(MEDIA_KIND_SCREEN, &thin, 10000, rung).way, ==,
                    MEDIA_WAY_STILLS);
    /* A screen on a line where a camera moves is still sharp. */
    MediaUplink weak = {64000, 100, 600, 0};
    g_assert_cmpint(settle(MEDIA_KIND_VIDEO, weak, 18000, 0).way, ==, MEDIA_WAY_VIDEO);
    g_assert_cmpint(settle(MEDIA_KIND_SCREEN, weak, 18000, 0).way, ==, MEDIA_WAY_STILLS);
    g_assert_cmpuint(settle(MEDIA_KIND_SCREEN, weak, 18000, 0).height, >=, 360);
}

/* No picture at all where voice needs the line; again once there is clearly room. */
static void test_off(void) {
    const MediaKind kinds[] = {MEDIA_KIND_VIDEO, MEDIA_KIND_SCREEN};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        MediaKind kind = kinds[i];
        uint32_t least_bps = media_climb_first(kind).wire_bps;
        for (unsigned rung = 0; rung < 7; rung++) {
            MediaVideoRung off =
                media_climb_rung(kind, &(MediaUplink){16000, 0, 600, 0}, 10000, rung);
            g_assert_cmpint(off.way, ==, MEDIA_WAY_OFF);
            g_assert_cmpuint(off.wire_bps, ==, 0);
        }
        /* What is left of the line, a tenth of which stays free, crosses the least up and down. */
        uint32_t up_bps = 0, down_bps = 0;
        unsigned rung = 0;
        for (uint32_t bps = 10000; bps < 30000; bps += 100) {
            rung = media_climb_rung(kind, &(MediaUplink){bps, 0, 600, 0}, 10000, rung).rung;
            up_bps = rung == 1 && up_bps == 0 ? bps : up_bps;
        }
        for (uint32_t bps = up_bps; bps >= 10000; bps -= 100) {
            rung = media_climb_rung(kind, &(MediaUplink){bps, 0, 600, 0}, 10000, rung).rung;
            down_bps = rung == 0 && down_bps == 0 ? bps : down_bps;
        }
        g_assert_cmpuint(up_bps * 9 / 10, >=, 10000 + least_bps + least_bps / 4 - 100);
        g_assert_cmpuint(down_bps * 9 / 10, <, 10000 + least_bps);
        g_assert_cmpuint(up_bps, >, down_bps + least_bps / 5);
    }
    /* Stills take half of what is left, never less than they need, never what video would. */
    MediaUplink line = {40000, 0, 100, 0}, good = {5000000, 0, 5, 0};
    g_assert_cmpuint(media_climb_rung(MEDIA_KIND_VIDEO, &line, 18000, 1).wire_bps, ==, 9000);
    g_assert_cmpuint(media_climb_rung(MEDIA_KIND_VIDEO, &line, 29000, 1).wire_bps, ==, 6000);
    MediaClimb climb = media_climb_begin(MEDIA_KIND_VIDEO);
    g_assert_cmpuint(media_climb_step(&climb, &good, 48000, MEDIA_SAVE_VIDEO).wire_bps, <=, 40000);
}

/* What was once sent is what the line is known to carry, with a little over; its best rung after so
   many UPLINKs, and how many of them were spent above what it carries. */
static unsigned climb(uint32_t carries_bps, uint32_t proven_bps, guint calls, guint *ret_above) {
    MediaClimb climb = media_climb_begin(MEDIA_KIND_VIDEO);
    MediaUplink line = {proven_bps, 0, 80, 0};
    MediaVideoRung rung = {0};
    *ret_above = 0;
    for (guint i = 0; i < calls; i++) {
        rung = media_climb_step(&climb, &line, 48000, MEDIA_SAVE_NOTHING);
        uint32_t sent_bps = rung.wire_bps + 48000;
        line.rate_bps = MIN(MAX(line.rate_bps, sent_bps / 4 * 5), carries_bps);
        *ret_above += sent_bps > carries_bps;
    }
    return rung.rung;
}

static void test_trials(void) {
    guint above = 0;
    /* A good line that has so far carried a voice and a tiny picture is found to be good. */
    g_assert_cmpuint(climb(2000000, 160000, 60, &above), ==, 6);
    g_assert_cmpuint(above, ==, 0);
    g_assert_cmpuint(climb(600000, 160000, 60, &above), ==, 5);
    /* Also one that is only known to carry that voice. */
    g_assert_cmpuint(climb(600000, 54000, 60, &above), ==, 5);
    /* On one that carries no more than it says, trials are few. */
    climb(160000, 160000, 600, &above);
    g_assert_cmpuint(above, >, 0);
    g_assert_cmpuint(above, <, 600 / 8);
    climb(64000, 64000, 600, &above);
    g_assert_cmpuint(above, <, 600 / 8);
    /* Where the voice alone is nearly too much, there is none. */
    g_assert_cmpuint(climb(26000, 26000, 600, &above), ==, 0);
    MediaClimb least = media_climb_begin(MEDIA_KIND_VIDEO);
    for (guint i = 0; i < 600; i++) {
        MediaUplink line = {16000, 0, 1200, 0};
        g_assert_cmpint(media_climb_step(&least, &line, 10000, MEDIA_SAVE_NOTHING).way, ==,
                        MEDIA_WAY_OFF);
    }
    /* More loss, a long queue, or a rate that breaks down end a trial at once. */
    static const MediaUplink bad[] = {
        {130000, 60, 80, 0}, {130000, 0, 400, 0}, {130000, 0, 80, 300}, {90000, 0, 80, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        MediaClimb climb = media_climb_begin(MEDIA_KIND_VIDEO);
        MediaUplink line = {130000, 0, 80, 0};
        while (climb.left == 0) {
            media_climb_step(&climb, &line, 48000, MEDIA_SAVE_NOTHING);
        }
        unsigned tried = climb.rung;
        g_assert_cmpuint(tried, ==, 3);
        /* It is no news until it is won. */
        g_assert_cmpuint(media_climb_told(&climb).rung, <, tried);
        g_assert_cmpuint(media_climb_step(&climb, &bad[i], 48000, MEDIA_SAVE_NOTHING).rung, <,
                         tried);
    }
}

/* Where it begins: small, and on a line not known to carry anything with a still. */
static void test_begin(void) {
    MediaClimb unknown = media_climb_begin(MEDIA_KIND_VIDEO);
    for (guint i = 0; i < 20; i++) {
        MediaVideoRung rung = media_climb_step(&unknown, &(MediaUplink){0}, 0, MEDIA_SAVE_NOTHING);
        g_assert_cmpint(rung.way, ==, MEDIA_WAY_STILLS);
    }
    MediaVideoRung rung =
        media_climb_step(&unknown, &(MediaUplink){5000000, 0, 5, 0}, 48000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(rung.way, ==, MEDIA_WAY_VIDEO);
    g_assert_cmpuint(rung.wire_bps, <=, 80000);
    MediaClimb thin = media_climb_begin(MEDIA_KIND_SCREEN);
    rung = media_climb_step(&thin, &(MediaUplink){14000, 0, 600, 0}, 10000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(rung.way, ==, MEDIA_WAY_OFF);
    g_assert_cmpint(thin.reason, ==, MEDIA_REASON_NARROW);
    g_assert_cmpint(media_climb_told(&thin).way, ==, MEDIA_WAY_OFF);
}

/* What piles up says that the pictures are larger than their rung; a still alone piles up. */
static void test_jam(void) {
    MediaClimb jammed = media_climb_begin(MEDIA_KIND_VIDEO);
    MediaUplink free = {500000, 0, 80, 0}, full = {500000, 0, 80, 900};
    for (guint i = 0; i < 4; i++) {
        media_climb_step(&jammed, &free, 48000, MEDIA_SAVE_NOTHING);
    }
    for (unsigned rung = jammed.rung; rung > 1; rung--) {
        g_assert_cmpuint(media_climb_step(&jammed, &full, 48000, MEDIA_SAVE_NOTHING).rung, ==,
                         rung - 1);
        g_assert_cmpint(jammed.reason, ==, MEDIA_REASON_QUEUE);
    }
    g_assert_cmpuint(media_climb_step(&jammed, &full, 48000, MEDIA_SAVE_NOTHING).rung, ==, 1);
    /* What was too much is not taken at once again, and each time later. */
    guint rests[3] = {0};
    for (guint i = 0; i < G_N_ELEMENTS(rests); i++) {
        while (media_climb_step(&jammed, &free, 48000, MEDIA_SAVE_NOTHING).rung == 1) {
            rests[i]++;
        }
        g_assert_cmpuint(jammed.rung, ==, 2);
        g_assert_cmpint(jammed.reason, ==, MEDIA_REASON_ROOM);
        jammed.burst = true;
        g_assert_cmpuint(media_climb_step(&jammed, &free, 48000, MEDIA_SAVE_NOTHING).rung, ==, 1);
        g_assert_cmpint(jammed.reason, ==, MEDIA_REASON_QUEUE);
        g_assert_false(jammed.burst);
    }
    g_assert_cmpuint(rests[0], >=, 2);
    g_assert_cmpuint(rests[2], >, rests[0]);
    g_assert_cmpuint(rests[2], <=, 60);
    /* A picture too large ends a trial too. */
    MediaClimb tried = media_climb_begin(MEDIA_KIND_VIDEO);
    while (tried.left == 0) {
        media_climb_step(&tried, &(MediaUplink){130000, 0, 80, 0}, 48000, MEDIA_SAVE_NOTHING);
    }
    unsigned rung = tried.rung;
    tried.burst = true;
    g_assert_cmpuint(
        media_climb_step(&tried, &(MediaUplink){400000, 0, 80, 0}, 48000, MEDIA_SAVE_NOTHING).rung,
        <, rung);
}

static void test_reasons(void) {
    MediaClimb climb = media_climb_begin(MEDIA_KIND_VIDEO);
    MediaUplink good = {400000, 0, 80, 0};
    for (guint i = 0; i < 4; i++) {
        media_climb_step(&climb, &good, 48000, MEDIA_SAVE_NOTHING);
    }
    g_assert_cmpint(climb.reason, ==, MEDIA_REASON_ROOM);
    MediaClimb spoken = climb, lossy = climb, slow = climb, saved = climb;
    media_climb_step(&spoken, &good, 250000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(spoken.reason, ==, MEDIA_REASON_VOICE);
    media_climb_step(&lossy, &(MediaUplink){400000, 600, 80, 0}, 48000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(lossy.reason, ==, MEDIA_REASON_LOSS);
    media_climb_step(&slow, &(MediaUplink){150000, 0, 80, 0}, 48000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(slow.reason, ==, MEDIA_REASON_LINE);
    g_assert_cmpint(media_climb_step(&saved, &good, 48000, MEDIA_SAVE_VIDEO).way, ==,
                    MEDIA_WAY_STILLS);
    g_assert_cmpint(saved.reason, ==, MEDIA_REASON_SAVE);
    g_assert_cmpint(media_climb_step(&saved, &good, 48000, MEDIA_SAVE_PICTURES).way, ==,
                    MEDIA_WAY_OFF);
    for (guint i = 0; i < 20; i++) {
        g_assert_cmpint(media_climb_step(&saved, &good, 48000, MEDIA_SAVE_PICTURES).way, ==,
                        MEDIA_WAY_OFF);
    }
    g_assert_cmpint(saved.reason, ==, MEDIA_REASON_SAVE);
    media_climb_step(&saved, &good, 48000, MEDIA_SAVE_NOTHING);
    g_assert_cmpint(media_climb_told(&saved).way, ==, MEDIA_WAY_STILLS);
    g_assert_cmpint(saved.reason, ==, MEDIA_REASON_ROOM);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/climb/lines", test_lines);
    g_test_add_func("/media/climb/off", test_off);
    g_test_add_func("/media/climb/trials", test_trials);
    g_test_add_func("/media/climb/begin", test_begin);
    g_test_add_func("/media/climb/jam", test_jam);
    g_test_add_func("/media/climb/reasons", test_reasons);
    return g_test_run();
}
