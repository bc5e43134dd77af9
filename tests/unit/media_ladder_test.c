/* SPDX-License-Identifier: MPL-2.0 */
/* The ladder of voice on the lines it is for, and the small pure readings beside it. */
#include <glib.h>
#include <math.h>

#include "media/ladder.h"
#include "media/level.h"
#include "media/opus.h"

/* The lines this is for, as a link measures them. */
static const MediaUplink W1 = {256000, 30, 200, 0};
static const MediaUplink W2 = {64000, 100, 600, 0};
static const MediaUplink W3 = {16000, 50, 1200, 0};
static const MediaUplink W4 = {2000000, 200, 45, 0};

/* The rung reached when that line lasts. */
static MediaVoiceRung settle(MediaUplink line, unsigned rung) {
    MediaVoiceRung now = {.rung = rung};
    for (int i = 0; i < 20; i++) {
        now = media_ladder_voice(&line, &now);
    }
    return now;
}

static void test_voice_lines(void) {
    MediaVoiceRung first = media_ladder_voice_first(MEDIA_PROFILE_AUTO);
    g_assert_cmpuint(first.packet_ms, ==, 20);
    g_assert_cmpuint(first.bitrate_bps, ==, 24000);
    g_assert_cmpint(first.reason, ==, MEDIA_REASON_BEGINS);
    /* A LAN; 64 kbit/s, of which a third; hardly anything. */
    g_assert_cmpuint(settle((MediaUplink){5000000, 0, 2, 0}, first.rung).bitrate_bps, ==, 32000);
    g_assert_cmpuint(settle((MediaUplink){64000, 0, 50, 0}, first.rung).packet_ms, ==, 60);
    g_assert_cmpuint(settle((MediaUplink){1000, 300, 600, 0}, first.rung).bitrate_bps, ==, 3200);
    /* On a satellite, 20 ms packets only cost headers. */
    g_assert_cmpuint(settle((MediaUplink){10000000, 0, 650, 0}, first.rung).packet_ms, ==, 40);
}

/* Whatever was before, the weak lines have the voice they can carry. */
static void test_voice_weak(void) {
    for (unsigned from = 0; from <= 7; from++) {
        MediaVoiceRung rung = settle(W1, from);
        g_assert_cmpuint(rung.packet_ms, <=, 60);
        g_assert_cmpuint(rung.wire_bps, <=, 85000);
        rung = settle(W2, from);
        g_assert_cmpint(rung.codec, ==, MEDIA_CODEC_OPUS);
        g_assert_cmpuint(rung.wire_bps, <=, 20000); /* copies included */
        rung = settle(W3, from);
        g_assert_cmpint(rung.codec, ==, MEDIA_CODEC_OPUS);
        g_assert_cmpuint(rung.wire_bps, <=, 12000);
        rung = settle(W4, from);
        g_assert_cmpuint(rung.packet_ms, ==, 20);
    }
    /* Too narrow for Opus; for its copies; for anything. */
    g_assert_cmpint(settle((MediaUplink){MEDIA_VOICE_RATE_LEAST - 100, 0, 600, 0}, 0).reason, ==,
                    MEDIA_REASON_NARROW);
    g_assert_cmpint(settle((MediaUplink){MEDIA_VOICE_RATE_LEAST * 9 / 8, 0, 600, 0}, 0).reason, !=,
                    MEDIA_REASON_NARROW);
    g_assert_cmpint(settle((MediaUplink){10000, 0, 1200, 0}, 7).codec, ==, MEDIA_CODEC_CODEC2);
    g_assert_cmpint(settle((MediaUplink){26000, 100, 600, 0}, 7).codec, ==, MEDIA_CODEC_CODEC2);
    g_assert_cmpint(settle((MediaUplink){26000, 0, 600, 0}, 0).codec, ==, MEDIA_CODEC_OPUS);
    g_assert_cmpint(settle((MediaUplink){7000, 0, 600, 0}, 0).reason, ==, MEDIA_REASON_NARROW);
}

/* Byte by byte: IPv4 and UDP 28, datagram 21, chunk 3, kind 1, header 10, tag 8. */
static void test_voice_cost(void) {
    MediaUplink clean = {64000, 0, 50, 0};
    g_assert_cmpuint(media_ladder_cost(&clean, 120, 89), ==, (71 + 89) * 8000 / 120 + 1);
    g_assert_cmpuint(media_ladder_cost(&clean, 20, 60), ==, (71 + 60) * 8000 / 20);
    /* A copy rides in a later packet: its chunk, and a length since it is not the last. */
    g_assert_cmpuint(media_ladder_cost(&W2, 120, 89), ==,
                     (71 + 89) * 8000 / 120 + 1 + (24 + 89) * 8000 / 120 + 1);
    /* On a line that loses much a repair is paid for too, when it comes in time; and where there is
       room, three copies: what is lost with all of them is 0.2 to the fourth. */
    MediaUplink lossy = {200000, 200, 45, 0};
    g_assert_cmpuint(media_ladder_cost(&lossy, 20, 60), ==,
                     ((71 + 60) + (24 + 60)) * 400 * 1000 / (1000 - 200 * 200 / 1000));
    g_assert_cmpuint(media_ladder_cost(&W4, 20, 60), ==,
                     ((71 + 60) + 3 * (24 + 60)) * UINT64_C(400) * 1000000 / (1000000 - 1600));
    /* No copies: of too narrow a line; of one whose round trip leaves time for repairs. */
    g_assert_cmpuint(media_ladder_cost(&W3, 120, 89), ==, (71 + 89) * 8000 / 120 + 1);
    MediaUplink near = {2000000, 40, 45, 0};
    g_assert_cmpuint(media_ladder_cost(&near, 20, 60), ==, (71 + 60) * 400 * 1000 / 960);
}

static void test_voice_fits(void) {
    for (uint32_t rate = 10000; rate < 400000; rate += 500) {
        for (uint16_t loss = 0; loss <= 300; loss = (uint16_t)(loss + 50)) {
            MediaVoiceRung rung = settle((MediaUplink){rate, loss, 100, 0}, 6);
            g_assert_true(rung.rung == 0 || rung.wire_bps <= rate);
            g_assert_true(rung.rung <= 1 || rung.wire_bps <= rate / 3);
            g_assert_cmpint(rung.reason == MEDIA_REASON_NARROW, ==, rung.wire_bps > rate);
            g_assert_cmpuint(rung.packet_ms % rung.frame_ms, ==, 0);
            g_assert_cmpuint(rung.wire_bps, >, rung.bitrate_bps);
            g_assert_true(rung.dtx);
        }
    }
}

/* How often the rung changes on a line that long has been now the one, now the other. */
static guint changes_between(const MediaUplink *one, const MediaUplink *other) {
    MediaVoiceRung now = settle(*other, 3);
    guint changes = 0;
    for (int i = 0; i < 60; i++) {
        MediaVoiceRung next = media_ladder_voice(i % 2 == 0 ? one : other, &now);
        changes += i >= 20 && next.rung != now.rung;
        now = next;
    }
    return changes;
}

static void test_voice_hysteresis(void) {
    /* A rate that wavers by 10 % around any cost does not make the rung waver once it settled. */
    for (uint32_t rate = 9000; rate < 300000; rate += 1000) {
        MediaUplink more = {rate * 11 / 10, 0, 50, 0}, less = {rate * 9 / 10, 0, 50, 0};
        g_assert_cmpuint(changes_between(&more, &less), ==, 0);
    }
    /* Nor does a loss around any, with copies or without. */
    for (uint32_t rate = 9000; rate < 300000; rate += 1000) {
        for (uint16_t loss = 0; loss < 200; loss++) {
            MediaUplink less = {rate, loss, 600, 0},
                        more = {rate, (uint16_t)(loss * 5 / 4 + 3), 600, 0};
            g_assert_cmpuint(changes_between(&less, &more), ==, 0);
        }
    }
}

/* Down at once, up one at a time, and nothing without a measure; each with its reason. */
static void test_voice_reasons(void) {
    MediaVoiceRung best = settle((MediaUplink){9000000, 0, 5, 0}, 7);
    MediaVoiceRung now = media_ladder_voice(&W3, &best);
    g_assert_cmpuint(now.rung, ==, 1);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_LINE);
    now = media_ladder_voice(&(MediaUplink){9000000, 0, 5, 0}, &now);
    g_assert_cmpuint(now.rung, ==, 2);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_ROOM);
    MediaVoiceRung same = media_ladder_voice(&(MediaUplink){0, 0, 0, 0}, &now);
    g_assert_cmpuint(same.rung, ==, now.rung);
    g_assert_cmpint(same.reason, ==, now.reason);
    MediaVoiceRung clean = settle((MediaUplink){64000, 0, 600, 0}, 4);
    now = media_ladder_voice(&W2, &clean);
    g_assert_cmpuint(now.rung, <, clean.rung);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_LOSS);
    now = media_ladder_voice(&(MediaUplink){9000000, 0, 600, 0}, &best);
    g_assert_cmpuint(now.rung, <, best.rung);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_FAR); /* however wide the line is */
    now = media_ladder_voice(&(MediaUplink){6000, 0, 600, 0}, &now);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_NARROW);
    now = media_ladder_voice(&(MediaUplink){8000, 0, 600, 0}, &now);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_NARROW);
    now = media_ladder_voice(&(MediaUplink){9200, 0, 600, 0}, &now);
    g_assert_cmpint(now.reason, ==, MEDIA_REASON_LINE);
}

static void test_level(void) {
    MediaLevel level = {0};
    int16_t samples[480];
    for (int i = 0; i < 480; i++) {
        samples[i] = i % 2 == 0 ? 32767 : -32768;
    }
    media_level_add(&level, samples, 480);
    g_assert_cmpuint(media_level_take(&level), ==, 0);
    for (int i = 0; i < 480; i++) {
        samples[i] = (int16_t)(3276.8 * sin(2 * G_PI * i / 48));
    }
    media_level_add(&level, samples, 240);
    media_level_add(&level, samples + 240, 240);
    /* A sine of a tenth: -20 dB and -3 dB. */
    g_assert_cmpuint(media_level_take(&level), ==, 23);
    g_assert_cmpuint(media_level_take(&level), ==, 127);
}

static void test_opus_duration(void) {
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x08}, 1), ==, 20000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x18, 1}, 2), ==, 60000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x68, 1}, 2), ==, 20000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0xf8, 1}, 2), ==, 20000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0xf9, 1, 2}, 3), ==, 40000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x1b, 2, 0, 0}, 4), ==, 120000);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x1b, 3, 0, 0}, 4), ==, 0);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0xf9, 1}, 2), ==, 0);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0x1b}, 1), ==, 0);
    g_assert_cmpuint(media_opus_duration_us((const uint8_t[]){0}, 0), ==, 0);
}

/* Two packets of one frame become one of two, which a decoder reads as RFC 6716 says. */
static void test_opus_join(void) {
    static const uint8_t first[] = {0x18, 1, 2, 3}, other[] = {0x18, 4, 5, 6};
    static const uint8_t brief[] = {0x18, 7}, still[] = {0x18}, wide[] = {0x58, 1};
    uint8_t joined[600], large[300] = {0x18};
    g_assert_cmpuint(media_opus_join(first, 4, other, 4, joined, sizeof(joined)), ==, 7);
    g_assert_cmpmem(joined, 7, ((uint8_t[]){0x19, 1, 2, 3, 4, 5, 6}), 7);
    g_assert_cmpuint(media_opus_duration_us(joined, 7), ==, 120000);
    g_assert_cmpuint(media_opus_join(first, 4, brief, 2, joined, sizeof(joined)), ==, 6);
    g_assert_cmpmem(joined, 6, ((uint8_t[]){0x1a, 3, 1, 2, 3, 7}), 6);
    g_assert_cmpuint(media_opus_join(still, 1, brief, 2, joined, sizeof(joined)), ==, 3);
    g_assert_cmpmem(joined, 3, ((uint8_t[]){0x1a, 0, 7}), 3);
    /* A length of 252 and more takes two bytes: 252 + n % 4, n / 4. */
    g_assert_cmpuint(media_opus_join(large, 300, brief, 2, joined, sizeof(joined)), ==, 303);
    g_assert_cmpuint(joined[1] + 4u * joined[2], ==, 299);
    /* Of another kind; already of two; too long together; no room. */
    g_assert_cmpuint(media_opus_join(first, 4, wide, 2, joined, sizeof(joined)), ==, 0);
    joined[0] = 0x19;
    g_assert_cmpuint(media_opus_join(joined, 7, joined, 7, joined, sizeof(joined)), ==, 0);
    g_assert_cmpuint(media_opus_join(first, 4, other, 4, joined, 6), ==, 0);
    g_assert_cmpuint(media_opus_join(first, 0, other, 4, joined, sizeof(joined)), ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/ladder/voice-lines", test_voice_lines);
    g_test_add_func("/media/ladder/voice-weak", test_voice_weak);
    g_test_add_func("/media/ladder/voice-cost", test_voice_cost);
    g_test_add_func("/media/ladder/voice-reasons", test_voice_reasons);
    g_test_add_func("/media/ladder/voice-fits", test_voice_fits);
    g_test_add_func("/media/ladder/voice-hysteresis", test_voice_hysteresis);
    g_test_add_func("/media/level", test_level);
    g_test_add_func("/media/opus/duration", test_opus_duration);
    g_test_add_func("/media/opus/join", test_opus_join);
    return g_test_run();
}
