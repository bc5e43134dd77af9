/* SPDX-License-Identifier: MPL-2.0 */
/* What a line is good for: live voice, or a voice message instead. */
#include <glib.h>

#include "media/protocol.h"
#include "node/host/talk.h"

#define NB "\xc2\xa0" /* an unbreakable space */

/* A fair line that is known, for each test to spoil. */
static MeshMember line(guint rate_bps) {
    return (MeshMember){.state = MESH_LINK_UP,
                        .line_state = MESH_LINE_STEADY,
                        .rate_bps = rate_bps,
                        .rtt_us = 600000};
}

static void test_rate(void) {
    MeshMember member = line(MEDIA_VOICE_RATE_LEAST);
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member = line(MEDIA_VOICE_RATE_LEAST - 1);
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_NARROW);
    /* Nothing is known yet: it is tried. */
    member.line_state = MESH_LINE_START;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member = line(0);
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
}

/* What is lost is sent again, out of the same rate. */
static void test_loss(void) {
    MeshMember member = line(12000);
    g_assert_cmpuint(talk_capacity_bps(15000, 0), ==, 15000);
    g_assert_cmpuint(talk_capacity_bps(15000, 100000), ==, 10000);
    g_assert_cmpuint(talk_capacity_bps(15000, 200000), ==, 7500);
    g_assert_cmpuint(talk_capacity_bps(15000, 1000000), ==, 7500);
    g_assert_cmpuint(talk_capacity_bps(G_MAXUINT, 0), ==, G_MAXUINT);
    member.loss_ppm = 99000;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member.loss_ppm = 101000;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_NARROW);
    member = line(1000000);
    member.loss_ppm = 499999;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member.loss_ppm = 500000;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LOSSY);
}

/* However much is thought to fit. */
static void test_delay(void) {
    MeshMember member = line(1000000);
    member.rtt_us = 3999999;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member.rtt_us = 4000000;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_SLOW);
    member.line_state = MESH_LINE_START;
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_SLOW);
    member.rtt_us = G_MAXUINT;
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_SLOW);
}

/* What wavers about a limit is told once. */
static void test_wavers(void) {
    MeshMember member = line(9000);
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_NARROW);
    g_assert_cmpint(talk_way(&member, FALSE), ==, TALK_LIVE);
    member = line(9600);
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_LIVE);
    member.rtt_us = 3500000;
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_SLOW);
    member.rtt_us = 3300000;
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_LIVE);
    member.loss_ppm = 450000;
    g_assert_cmpint(talk_way(&member, TRUE), ==, TALK_LOSSY);
}

static void assert_why(TalkWay way, const char *english, const char *french) {
    TalkLine line = {.way = way, .bps = 5600};
    if (way != TALK_NOBODY) { /* then there is no best */
        line.best = (MeshMember){.name = "Bob", .rtt_us = 4600000, .loss_ppm = 520000};
    }
    g_autofree char *said = talk_why_not(LANGUAGE_ENGLISH, &line);
    g_autofree char *dit = talk_why_not(LANGUAGE_FRENCH, &line);
    g_assert_cmpstr(said, ==, english);
    g_assert_cmpstr(dit, ==, french);
}

static void test_words(void) {
    assert_why(TALK_LIVE, NULL, NULL);
    assert_why(TALK_NARROW, "The line to Bob carries 6 kbit/s: too little for live voice.",
               "La ligne vers Bob ne porte que 6" NB "kbit/s" NB
               ": trop peu pour la voix en direct.");
    assert_why(TALK_SLOW, "An answer of Bob takes 4 s: too long for live voice.",
               "Une réponse de Bob prend 4" NB "s" NB ": c’est trop long pour la voix en direct.");
    assert_why(TALK_LOSSY, "The line to Bob loses 52 % of packets: too many for live voice.",
               "La ligne vers Bob perd 52" NB "% des paquets" NB ": trop pour la voix en direct.");
    assert_why(TALK_BOUND, "Your setting allows 6 kbit/s to each: too little for live voice.",
               "Votre réglage ne laisse que 6" NB "kbit/s à chacun" NB
               ": trop peu pour la voix en direct.");
    assert_why(TALK_NOBODY, "Nobody is in reach now.", "Personne n’est joignable.");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/talk/rate", test_rate);
    g_test_add_func("/node/talk/loss", test_loss);
    g_test_add_func("/node/talk/delay", test_delay);
    g_test_add_func("/node/talk/wavers", test_wavers);
    g_test_add_func("/node/talk/words", test_words);
    return g_test_run();
}
