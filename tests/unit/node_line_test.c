/* SPDX-License-Identifier: MPL-2.0 */
/* What a person is told of a line: which sentence, in both languages, and how often. */
#include <string.h>

#include "node/host/calm.h"
#include "node/host/line.h"
#include "node/host/rung.h"

#define NB "\xc2\xa0" /* an unbreakable space */

/* ---- sentences ---- */

static const LineView good = {.state = MESH_LINK_UP,
                              .line = MESH_LINE_STEADY,
                              .known = TRUE,
                              .rate_bps = 8000000,
                              .loss_ppm = 1000,
                              .rtt_us = 30000};

/* With what is weak in it judged as for the first time. */
static LineView judged(LineView view) {
    view.weak = line_weakness(&view, view.weak);
    return view;
}

static void assert_says(LineView view, const char *english, const char *french) {
    g_autofree char *said = line_sentence(LANGUAGE_ENGLISH, &view);
    g_autofree char *dit = line_sentence(LANGUAGE_FRENCH, &view);
    g_assert_cmpstr(said, ==, english);
    g_assert_cmpstr(dit, ==, french);
}

static void test_figures(void) {
    LineView view = good;
    assert_says(judged(view), NULL, NULL);
    view.rate_bps = 39500; /* to the nearest */
    view.loss_ppm = 104000;
    assert_says(judged(view), "the line gives 40 kbit/s and loses 10 % of packets",
                "la ligne donne 40" NB "kbit/s et perd 10" NB "% des paquets");
    view.loss_ppm = 0;
    assert_says(judged(view), "the line gives 40 kbit/s", "la ligne donne 40" NB "kbit/s");
    view.rtt_us = 1300000;
    assert_says(judged(view), "the line gives 40 kbit/s, an answer takes 1.3 s",
                "la ligne donne 40" NB "kbit/s, une réponse prend 1,3" NB "s");
    view = good;
    view.loss_ppm = 200000;
    assert_says(judged(view), "the line loses 20 % of packets",
                "la ligne perd 20" NB "% des paquets");
}

/* A rate that was never reached is no measure of the line. */
static void test_not_measured(void) {
    LineView view = good;
    view.line = MESH_LINE_START;
    view.rate_bps = 16000;
    assert_says(judged(view), NULL, NULL);
    view.line = MESH_LINE_STEADY;
    view.rate_bps = 0;
    assert_says(judged(view), NULL, NULL);
    view.weak.rate = TRUE;
    view.line = MESH_LINE_START;
    assert_says(judged(view), "it is being found out how much the line gives",
                "on cherche ce que donne la ligne");
}

static void test_reasons(void) {
    LineView view = good;
    view.line = MESH_LINE_SHARED;
    assert_says(judged(view), "another program fills the line",
                "un autre programme occupe la ligne");
    view.line = MESH_LINE_TRIAL;
    view.loss_ppm = 150000;
    view.rate_bps = 30000; /* we are slower than the line might be */
    assert_says(judged(view),
                "the line loses 15 % of packets; it is being tested whether the line itself loses "
                "them",
                "la ligne perd 15" NB "% des paquets" NB
                "; on vérifie si ces pertes tiennent à la ligne "
                "elle-même");
}

static void test_silence(void) {
    LineView view = good;
    view.state = MESH_LINK_DOWN;
    view.silent_ms = 12900;
    assert_says(judged(view), "no answer for 12 s", "aucune réponse depuis 12" NB "s");
    view.state = MESH_LINK_CONNECTING;
    view.silent_ms = 200000;
    assert_says(judged(view), "no answer for 3 min", "aucune réponse depuis 3" NB "min");
    view.silent_ms = 8 * 3600 * 1000;
    assert_says(judged(view), "no answer for 8 h", "aucune réponse depuis 8" NB "h");
    view.left = TRUE;
    assert_says(judged(view), "it said goodbye 8 h ago", "a dit au revoir il y a 8" NB "h");
    view.state = MESH_LINK_UP;
    view.line = MESH_LINE_OUTAGE;
    view.silent_ms = 4000; /* it is back, and falls silent */
    assert_says(judged(view), "no answer for 4 s", "aucune réponse depuis 4" NB "s");
    view.silent_ms = 900;
    assert_says(judged(view), NULL, NULL);
    view.silent_ms = 90000;
    view.known = FALSE; /* it never answered: nothing is missed */
    assert_says(judged(view), NULL, NULL);
}

static void test_sources(void) {
    LineView view = good;
    view.voice = view.camera = view.screen = LINE_SOURCE_WHOLE;
    view.packet_ms = 20;
    assert_says(judged(view), NULL, NULL);
    view.rate_bps = 40000;
    view.loss_ppm = 100000;
    view.packet_ms = 60;
    view.camera = LINE_SOURCE_PAUSED;
    view.screen = LINE_SOURCE_STILLS;
    assert_says(judged(view),
                "the line gives 40 kbit/s and loses 10 % of packets; voice goes in packets of 60 "
                "ms, the camera is paused, the screen is sent as stills",
                "la ligne donne 40" NB "kbit/s et perd 10" NB "% des paquets" NB
                "; la voix part par "
                "paquets de 60" NB "ms, la caméra est suspendue, l’écran est envoyé en images "
                "fixes");
    view = good;
    view.voice = LINE_SOURCE_PAUSED;
    view.camera = LINE_SOURCE_STILLS;
    view.screen = LINE_SOURCE_PAUSED;
    assert_says(judged(view), "no voice fits, the camera sends stills, the screen is paused",
                "la voix n’y passe plus, la caméra envoie des images fixes, l’écran est suspendu");
}

static void test_texts(void) {
    g_autofree char *rate = line_rate_text(LANGUAGE_ENGLISH, 9999499);
    g_autofree char *more = line_rate_text(LANGUAGE_ENGLISH, 9999500);
    g_autofree char *most = line_rate_text(LANGUAGE_FRENCH, G_MAXUINT);
    g_autofree char *now = line_time_text(LANGUAGE_ENGLISH, 999);
    g_autofree char *later = line_time_text(LANGUAGE_ENGLISH, 119999);
    g_autofree char *last = line_time_text(LANGUAGE_FRENCH, 7200000);
    g_assert_cmpstr(rate, ==, "9999 kbit/s");
    g_assert_cmpstr(more, ==, "10 Mbit/s");
    g_assert_cmpstr(most, ==, "4295" NB "Mbit/s");
    g_assert_cmpstr(now, ==, "999 ms");
    g_assert_cmpstr(later, ==, "119 s");
    g_assert_cmpstr(last, ==, "2" NB "h");
    g_assert_cmpstr(line_state_name(MESH_LINK_CONNECTING), ==, "connecting");
    g_assert_cmpstr(line_line_name(MESH_LINE_OUTAGE), ==, "outage");
    g_assert_cmpstr(line_line_name((MeshLineState)99), ==, "");
}

/* ---- rungs ---- */

static void assert_rung(MediaRung rung, const char *english, const char *french) {
    g_autofree char *said = rung_sentence(LANGUAGE_ENGLISH, &rung);
    g_autofree char *dit = rung_sentence(LANGUAGE_FRENCH, &rung);
    g_assert_cmpstr(said, ==, english);
    g_assert_cmpstr(dit, ==, french);
}

static void test_rungs(void) {
    MediaRung voice = {.kind = MEDIA_KIND_VOICE,
                       .codec = MEDIA_CODEC_OPUS,
                       .packet_ms = 60,
                       .bitrate_bps = 12000,
                       .reason = MEDIA_REASON_LOSS};
    assert_rung(voice,
                "voice goes in packets of 60 ms, 12 kbit/s: what is lost has to be sent more than "
                "once",
                "la voix part par paquets de 60" NB "ms, à 12" NB "kbit/s" NB
                ": ce qui se perd doit partir plusieurs fois");
    voice.reason = MEDIA_REASON_BEGINS;
    assert_rung(voice, "voice goes in packets of 60 ms, 12 kbit/s",
                "la voix part par paquets de 60" NB "ms, à 12" NB "kbit/s");
    voice.reason = MEDIA_REASON_NARROW;
    assert_rung(voice, "your voice may not be heard live: the line is too narrow",
                "votre voix risque de ne pas être entendue en direct" NB
                ": la ligne est trop étroite");
    voice.codec = MEDIA_CODEC_CODEC2;
    voice.packet_ms = 120;
    voice.bitrate_bps = 3200;
    voice.reason = MEDIA_REASON_LINE;
    assert_rung(voice,
                "voice, at its coarsest, goes in packets of 120 ms, 3 kbit/s: the line carries no "
                "more",
                "la voix, au plus rudimentaire, part par paquets de 120" NB "ms, à 3" NB "kbit/s" NB
                ": la ligne n’en porte pas plus");
    MediaRung camera = {.kind = MEDIA_KIND_VIDEO, .reason = MEDIA_REASON_VOICE};
    assert_rung(camera, "the camera is paused: speech needs the room",
                "la caméra est suspendue" NB ": la parole a besoin de la place");
    camera.codec = MEDIA_CODEC_VP8;
    camera.height = 180;
    camera.packet_ms = 1000 / 15;
    camera.reason = MEDIA_REASON_ROOM;
    assert_rung(camera,
                "the camera sends 15 pictures a second of 180 lines: there is more room than "
                "before",
                "la caméra envoie 15 images par seconde, de 180 lignes" NB
                ": il y a plus de place qu’avant");
    MediaRung screen = {
        .kind = MEDIA_KIND_SCREEN, .codec = MEDIA_CODEC_WEBP, .reason = MEDIA_REASON_SAVE};
    assert_rung(screen, "the screen is sent as stills: you set it so",
                "l’écran est envoyé en images fixes" NB ": c’est votre réglage");
}

/* Each reason there is has its words. */
static void test_rung_reasons(void) {
    MediaRung rung = {.kind = MEDIA_KIND_SCREEN, .codec = MEDIA_CODEC_VP8, .height = 360};
    for (guint i = MEDIA_REASON_BEGINS + 1; i <= MEDIA_REASON_FAR; i++) {
        rung.reason = (MediaReason)i;
        g_autofree char *said = rung_sentence(LANGUAGE_ENGLISH, &rung);
        g_assert_nonnull(strstr(said, "of 360 lines: "));
    }
}

static void test_rung_values(void) {
    MediaRung rung = {
        .kind = MEDIA_KIND_VOICE, .codec = MEDIA_CODEC_OPUS, .packet_ms = 20, .bitrate_bps = 24000};
    guint before = rung_value(&rung);
    g_assert_cmpuint(before, !=, 0);
    rung.bitrate_bps = 32000; /* nobody hears it */
    g_assert_cmpuint(rung_value(&rung), ==, before);
    rung.packet_ms = 60;
    g_assert_cmpuint(rung_value(&rung), !=, before);
    rung.reason = MEDIA_REASON_NARROW;
    g_assert_cmpint(rung_source(&rung), ==, LINE_SOURCE_PAUSED);
    MediaRung camera = {.kind = MEDIA_KIND_VIDEO};
    g_assert_cmpuint(rung_value(&camera), !=, 0);
    camera.codec = MEDIA_CODEC_VP8;
    camera.height = 180;
    camera.packet_ms = 125;
    before = rung_value(&camera);
    camera.packet_ms = 66;
    g_assert_cmpuint(rung_value(&camera), !=, before);
    camera.codec = 0;
    g_assert_cmpstr(rung_codec_name(camera.codec), ==, "none");
    g_assert_cmpstr(rung_codec_name(MEDIA_CODEC_CODEC2), ==, "codec2");
}

/* ---- conditions ---- */

static void test_weakness(void) {
    LineView view = good;
    view.rate_bps = 110000; /* between the two limits: as before */
    view.loss_ppm = 40000;
    view.rtt_us = 800000;
    LineWeakness none = {FALSE, FALSE, FALSE}, all = {TRUE, TRUE, TRUE};
    LineWeakness stays = line_weakness(&view, none);
    g_assert_false(stays.rate || stays.loss || stays.delay);
    stays = line_weakness(&view, all);
    g_assert_true(stays.rate && stays.loss && stays.delay);
    LineWeakness left = line_weakness(&good, all);
    g_assert_false(left.rate || left.loss || left.delay);
    view.rate_bps = 95999;
    view.loss_ppm = 50000;
    view.rtt_us = 1000000;
    LineWeakness entered = line_weakness(&view, none);
    g_assert_true(entered.rate && entered.loss && entered.delay);
    /* Nothing is learnt while nothing answers. */
    view.line = MESH_LINE_OUTAGE;
    stays = line_weakness(&view, none);
    g_assert_false(stays.rate || stays.loss || stays.delay);
}

static void test_condition(void) {
    LineView view = good;
    g_assert_cmpint(line_condition(&view), ==, LINE_FINE);
    view.weak.delay = TRUE;
    g_assert_cmpint(line_condition(&view), ==, LINE_WEAK);
    view.line = MESH_LINE_SHARED;
    g_assert_cmpint(line_condition(&view), ==, LINE_SHARED);
    view.line = MESH_LINE_TRIAL; /* comes and goes: no news by itself */
    g_assert_cmpint(line_condition(&view), ==, LINE_WEAK);
    view.line = MESH_LINE_OUTAGE;
    view.silent_ms = 3000;
    g_assert_cmpint(line_condition(&view), ==, LINE_SILENT);
    view.silent_ms = 2999;
    g_assert_cmpint(line_condition(&view), ==, LINE_FINE);
}

/* ---- calm ---- */

#define HOLD_MS 2000

static void test_calm_holds(void) {
    Calm calm = {0};
    g_assert_false(calm_due(&calm, 0, HOLD_MS, 1000)); /* what is, is no news */
    g_assert_false(calm_due(&calm, 3, HOLD_MS, 2000));
    g_assert_false(calm_due(&calm, 3, HOLD_MS, 3999));
    g_assert_true(calm_due(&calm, 3, HOLD_MS, 4000));
    g_assert_false(calm_due(&calm, 3, HOLD_MS, 5000)); /* once */
    /* Gone and back before it was told: nothing happened. */
    g_assert_false(calm_due(&calm, 0, HOLD_MS, 20000));
    g_assert_false(calm_due(&calm, 3, HOLD_MS, 21000));
    g_assert_false(calm_due(&calm, 3, HOLD_MS, 90000));
}

/* A line that changes every 3 s for an hour is told of less and less often. */
static void test_calm_rests(void) {
    Calm calm = {0};
    guint told = 0, last_minutes = 0;
    for (gint64 now_ms = 0; now_ms < 3600 * 1000; now_ms += 1000) {
        if (calm_due(&calm, (guint)(now_ms / 3000 % 2), HOLD_MS, now_ms)) {
            told++;
            last_minutes += now_ms >= 3000 * 1000;
        }
        g_assert_cmpuint(calm.rest_ms, <=, CALM_REST_MS_MAX);
    }
    g_assert_cmpuint(told, >=, 6);
    g_assert_cmpuint(told, <=, 20);
    g_assert_cmpuint(last_minutes, <=, 3);
    /* After a long quiet time it is told at once again. */
    gint64 quiet_ms = 3600 * 1000 + 5 * (gint64)CALM_REST_MS_MAX;
    g_assert_false(calm_due(&calm, calm.told, HOLD_MS, 3600 * 1000));
    guint other = calm.told + 1;
    g_assert_false(calm_due(&calm, other, HOLD_MS, quiet_ms));
    g_assert_true(calm_due(&calm, other, HOLD_MS, quiet_ms + HOLD_MS));
    g_assert_cmpuint(calm.rest_ms, ==, CALM_REST_MS_MIN);
}

/* What changed during the rest is told after it, if it is still so. */
static void test_calm_catches_up(void) {
    Calm calm = {0};
    g_assert_false(calm_due(&calm, 1, 0, 1000) && calm.rest_ms == 0);
    g_assert_cmpuint(calm.told, ==, 1);
    g_assert_false(calm_due(&calm, 2, 0, 1000 + CALM_REST_MS_MIN - 1));
    g_assert_true(calm_due(&calm, 2, 0, 1000 + CALM_REST_MS_MIN));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/line/figures", test_figures);
    g_test_add_func("/line/not-measured", test_not_measured);
    g_test_add_func("/line/reasons", test_reasons);
    g_test_add_func("/line/silence", test_silence);
    g_test_add_func("/line/sources", test_sources);
    g_test_add_func("/line/texts", test_texts);
    g_test_add_func("/line/rungs", test_rungs);
    g_test_add_func("/line/rung-reasons", test_rung_reasons);
    g_test_add_func("/line/rung-values", test_rung_values);
    g_test_add_func("/line/weakness", test_weakness);
    g_test_add_func("/line/condition", test_condition);
    g_test_add_func("/line/calm/holds", test_calm_holds);
    g_test_add_func("/line/calm/rests", test_calm_rests);
    g_test_add_func("/line/calm/catches-up", test_calm_catches_up);
    return g_test_run();
}
