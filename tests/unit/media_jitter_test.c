/* SPDX-License-Identifier: MPL-2.0 */
/* The jitter buffer against lines that lose, delay, reorder and repeat, in virtual time. */
#include <glib.h>

#include "media/jitter.h"
#include "media/protocol.h"

#define FRAME_MS 20

/* What a simulated listener heard. */
typedef struct {
    guint played;
    guint concealed_ms;
    guint gaps; /* between numbers played */
    guint32 last_number;
    gboolean ordered;
    guint64 delay_us_max; /* of a frame, from sending to playing */
    guint64 delay_us_last;
} Heard;

typedef struct {
    guint32 number;
    guint32 media_time_ms;
    guint8 flags;
    guint8 level;
    guint64 sent_us;
    guint64 arrival_us;
} Sent;

static gint by_arrival(gconstpointer left, gconstpointer right) {
    const Sent *a = left, *b = right;
    return a->arrival_us < b->arrival_us ? -1 : a->arrival_us > b->arrival_us;
}

/* Plays everything sent, as the helper does: asks when what it got last has been played. */
static Heard listen(MediaJitter *jitter, GArray *sent, guint64 tail_us) {
    Heard heard = {.ordered = TRUE};
    g_array_sort(sent, by_arrival);
    guint next = 0;
    guint64 end_us = 0;
    for (guint i = 0; i < sent->len; i++) {
        end_us = MAX(end_us, g_array_index(sent, Sent, i).arrival_us);
    }
    end_us += tail_us;
    GHashTable *sent_at = g_hash_table_new(NULL, NULL);
    guint64 now_us = 0, free_us = 0;
    while (now_us < end_us) {
        while (next < sent->len && g_array_index(sent, Sent, next).arrival_us <= now_us) {
            const Sent *frame = &g_array_index(sent, Sent, next++);
            g_hash_table_insert(sent_at, GUINT_TO_POINTER(frame->number),
                                GSIZE_TO_POINTER(frame->sent_us));
            MediaJitterFrame put = {.number = frame->number,
                                    .media_time_ms = frame->media_time_ms,
                                    .duration_ms = FRAME_MS,
                                    .flags = frame->flags,
                                    .level = frame->level,
                                    .payload = g_malloc(1)};
            media_jitter_put(jitter, &put, frame->arrival_us);
        }
        while (now_us >= free_us) {
            MediaJitterStep step = media_jitter_take(jitter, now_us);
            if (step.action == MEDIA_JITTER_WAIT) {
                break;
            }
            free_us = now_us + step.duration_ms * 1000u;
            if (step.action == MEDIA_JITTER_CONCEAL) {
                heard.concealed_ms += step.duration_ms;
                continue;
            }
            if (heard.played > 0) {
                gint32 advance = (gint32)(step.frame.number - heard.last_number);
                heard.ordered &= advance > 0;
                heard.gaps += advance - 1;
                g_assert_true(step.gap_before == (advance != 1));
            }
            heard.last_number = step.frame.number;
            heard.played++;
            heard.delay_us_last =
                now_us -
                GPOINTER_TO_SIZE(g_hash_table_lookup(sent_at, GUINT_TO_POINTER(step.frame.number)));
            heard.delay_us_max = MAX(heard.delay_us_max, heard.delay_us_last);
            g_free(step.frame.payload);
        }
        now_us += 1000;
    }
    g_hash_table_unref(sent_at);
    return heard;
}

static Sent frame_at(guint index, guint32 first_number, guint64 transit_us) {
    guint64 sent_us = 1000000 + index * FRAME_MS * G_GUINT64_CONSTANT(1000);
    return (Sent){.number = first_number + index,
                  .media_time_ms = 77 + index * FRAME_MS,
                  .level = 30,
                  .sent_us = sent_us,
                  .arrival_us = sent_us + transit_us};
}

static void assert_accounted(MediaJitter *jitter, guint frames) {
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_cmpuint(counters.in_time + counters.late + counters.lost, ==, frames);
}

static void test_clean(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 500; i++) {
        Sent frame = frame_at(i, 0, 3000 + (i * 7 % 3) * 500);
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_cmpuint(heard.played, ==, 500);
    g_assert_cmpuint(heard.gaps, ==, 0);
    g_assert_cmpuint(counters.in_time, ==, 500);
    g_assert_cmpuint(counters.lost + counters.late, ==, 0);
    /* On a line this good the buffer adds its least delay, no more. */
    g_assert_cmpuint(heard.delay_us_max, <=, 4000 + MEDIA_JITTER_DELAY_US_MIN);
    /* The source stopped without a word: what was invented for it is bounded. */
    g_assert_cmpuint(heard.concealed_ms, <=, 140);
    media_jitter_destroy(jitter);
}

static void test_loss(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    guint lost = 0;
    for (guint i = 0; i < 5000; i++) {
        if (i > 0 && i < 4999 && g_rand_double(random) < 0.1) {
            lost++;
            continue;
        }
        Sent frame = frame_at(i, 0, 20000);
        frame.flags = i == 4999 ? MEDIA_FLAG_LAST : 0;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_true(heard.ordered);
    g_assert_cmpuint(counters.lost, ==, lost);
    g_assert_cmpuint(heard.gaps, ==, lost);
    g_assert_cmpuint(counters.in_time, ==, 5000 - lost);
    g_assert_cmpuint(counters.concealed, ==, lost);
    g_assert_cmpuint(heard.concealed_ms, ==, lost * FRAME_MS);
    assert_accounted(jitter, 5000);
    media_jitter_destroy(jitter);
}

/* Frames overtake one another by less than the jitter that was measured. */
static void test_reorder_and_jitter(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 10000; i++) {
        Sent frame = frame_at(i, 0, 30000 + (guint64)g_rand_int_range(random, 0, 80000));
        g_array_append_val(sent, frame);
        if (i % 10 == 0) {
            frame.arrival_us += 1000;
            g_array_append_val(sent, frame); /* a copy */
        }
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_true(heard.ordered);
    g_assert_cmpuint(counters.duplicates, ==, 1000);
    assert_accounted(jitter, 10000);
    g_assert_cmpuint(counters.in_time, >=, 9500);
    g_assert_cmpuint(counters.lost, ==, 0);
    /* The delay is what the jitter asks for: 80 ms above the least transit, and not much more. */
    g_assert_cmpuint(counters.target_us, >=, 60000);
    g_assert_cmpuint(counters.target_us, <=, 90000);
    g_assert_cmpuint(heard.delay_us_last, <=, 30000 + 110000);
    media_jitter_destroy(jitter);
}

static void test_silence(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    /* A second of voice, a second not sent, and so on: numbers follow, media time does not. */
    guint32 number = 0;
    for (guint i = 0; i < 1000; i++) {
        if (i / 50 % 2 == 1) {
            continue;
        }
        Sent frame = frame_at(i, 0, 10000);
        frame.number = number++;
        frame.flags = i % 50 == 49 ? MEDIA_FLAG_SILENCE : 0;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_cmpuint(heard.played, ==, 500);
    g_assert_cmpuint(counters.in_time, ==, 500);
    g_assert_cmpuint(counters.lost + counters.late + counters.concealed, ==, 0);
    g_assert_cmpuint(heard.delay_us_max, <=, 15000 + MEDIA_JITTER_DELAY_US_MIN);
    media_jitter_destroy(jitter);
}

/* After ten seconds of a bad line the delay goes back, in quiet frames and without loss. */
static void test_delay_shrinks(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 2000; i++) {
        guint64 jitter_us = i < 500 ? (guint64)g_rand_int_range(random, 0, 200000) : 0;
        Sent frame = frame_at(i, 0, 20000 + jitter_us);
        frame.level = i % 5 == 0 ? 70 : 20;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_assert_cmpuint(heard.delay_us_max, >=, 150000);
    g_assert_cmpuint(heard.delay_us_last, <=, 20000 + 40000);
    g_assert_cmpuint(counters.skipped, >=, 4);
    g_assert_cmpuint(heard.gaps, <=, counters.skipped + counters.late);
    assert_accounted(jitter, 2000);
    media_jitter_destroy(jitter);
}

/*
 * Outages of a second, after each of which half a second of frames comes at once. What comes too
 * late is dropped, never played in a rush, and nobody waits longer for the next ones because of it.
 */
static void test_outages(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    guint lost = 0, held = 0;
    for (guint i = 0; i < 6000; i++) {
        guint in_outage = i % 1000 - 500; /* frames into it, if less than 50 */
        Sent frame = frame_at(i, 0, 20000);
        frame.level = i % 50 < 5 ? 70 : 20;
        if (in_outage < 25) {
            lost++;
            continue;
        }
        if (in_outage < 50) {
            held++;
            frame.arrival_us = frame_at(i - in_outage + 50, 0, 20000).sent_us + in_outage;
        }
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_test_message("%u held, %u late, target %u us, %" G_GUINT64_FORMAT " us at most", held,
                   counters.late, counters.target_us, heard.delay_us_max);
    g_assert_true(heard.ordered);
    g_assert_cmpuint(counters.lost, ==, lost);
    g_assert_cmpuint(counters.late, >=, held * 3 / 4);
    g_assert_cmpuint(counters.target_us, <=, 60000);
    g_assert_cmpuint(heard.delay_us_last, <=, 20000 + 60000);
    g_assert_cmpuint(heard.delay_us_max, <=, 20000 + 200000);
    assert_accounted(jitter, 6000);
    media_jitter_destroy(jitter);
}

/* The way becomes longer in mid-speech: a few frames are late, then it is followed; and back. */
static void test_way_changes(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 3000; i++) {
        Sent frame = frame_at(i, 0, i >= 1000 && i < 2000 ? 60000 : 20000);
        frame.level = i % 50 < 5 ? 70 : 20;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_test_message("%u late, %u us at most", counters.late, (guint)heard.delay_us_max);
    g_assert_cmpuint(counters.late + counters.lost, <=, 5);
    g_assert_cmpuint(heard.delay_us_max, <=, 60000 + 60000);
    g_assert_cmpuint(heard.delay_us_last, <=, 20000 + 60000);
    assert_accounted(jitter, 3000);
    media_jitter_destroy(jitter);
}

/* Of a hundred frames two need repairing: nobody conversing minds a little more delay for them. */
static void test_rare(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 5000; i++) {
        Sent frame = frame_at(i, 0, i % 50 == 49 ? 170000 : 20000);
        frame.level = i % 10 == 0 ? 70 : 20;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    g_test_message("%u late, %u us at most", counters.late, (guint)heard.delay_us_max);
    g_assert_cmpuint(counters.late, <=, 5000 * 3 / 1000);
    g_assert_cmpuint(heard.delay_us_last, <=, 170000 + 60000);
    assert_accounted(jitter, 5000);
    media_jitter_destroy(jitter);
}

static void test_numbers_wrap(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 200; i++) {
        Sent frame = frame_at(i, G_MAXUINT32 - 100, 5000);
        frame.media_time_ms = G_MAXUINT32 - 2000 + i * FRAME_MS;
        if (i != 100) {
            g_array_append_val(sent, frame);
        }
    }
    Heard heard = listen(jitter, sent, 1000000);
    g_assert_cmpuint(heard.played, ==, 199);
    g_assert_true(heard.ordered);
    g_assert_cmpuint(media_jitter_counters(jitter).lost, ==, 1);
    media_jitter_destroy(jitter);
}

/* The speaker's clock runs 200 ppm fast for an hour of bursts of loss: the buffer follows. */
static void test_one_hour(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    guint lost = 0, burst = 0;
    const guint frames = 180000;
    for (guint i = 0; i < frames; i++) {
        if (burst == 0 && g_rand_double(random) < 0.02) {
            burst = (guint)g_rand_int_range(random, 1, 8);
        }
        if (burst > 0 && i > 0 && i < frames - 1) {
            burst--;
            lost++;
            continue;
        }
        Sent frame = frame_at(i, 12345, 50000 + (guint64)g_rand_int_range(random, 0, 20000));
        guint64 drift_us = i * G_GUINT64_CONSTANT(4);
        frame.sent_us -= drift_us;
        frame.arrival_us -= drift_us;
        frame.level = i % 97 < 20 ? 60 : 25;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    MediaJitterCounters counters = media_jitter_counters(jitter);
    assert_accounted(jitter, frames);
    g_assert_true(heard.ordered);
    g_assert_cmpuint(counters.lost, ==, lost);
    g_assert_cmpuint(counters.in_time, >=, (frames - lost) / 100 * 95);
    g_assert_cmpuint(heard.delay_us_max, <=, 200000);
    g_assert_cmpuint(heard.delay_us_last, <=, 130000);
    media_jitter_destroy(jitter);
}

static void test_speaker_restarts(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 2000; i++) {
        Sent frame = frame_at(i, i < 1500 ? 100000 : 0, 5000);
        frame.media_time_ms = i < 1500 ? 5000000 + i * FRAME_MS : i * FRAME_MS;
        g_array_append_val(sent, frame);
    }
    Heard heard = listen(jitter, sent, 1000000);
    /* The first frame after the restart only announces it. */
    g_assert_cmpuint(heard.played, >=, 1990);
    g_assert_cmpuint(media_jitter_counters(jitter).lost, ==, 0);
    media_jitter_destroy(jitter);
}

/* Whatever comes, nothing crashes, nothing leaks, and the buffer stays bounded. */
static void test_nonsense(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    for (MediaJitterMode mode = MEDIA_JITTER_CONTINUOUS; mode <= MEDIA_JITTER_SEPARATE; mode++) {
        MediaJitter *jitter = media_jitter_create(mode, g_free);
        guint64 now_us = 0;
        for (guint i = 0; i < 200000; i++) {
            guint32 wide = g_rand_int(random) >> g_rand_int_range(random, 0, 32);
            MediaJitterFrame frame = {.number = wide,
                                      .media_time_ms =
                                          g_rand_int(random) >> g_rand_int_range(random, 0, 32),
                                      .duration_ms = (guint16)g_rand_int_range(random, 0, 200),
                                      .flags = (guint8)g_rand_int_range(random, 0, 16),
                                      .level = (guint8)g_rand_int_range(random, 0, 128),
                                      .payload = g_malloc(1)};
            media_jitter_put(jitter, &frame, now_us);
            now_us += (guint64)g_rand_int_range(random, 0, 30000);
            for (guint k = 0; k < 4; k++) {
                MediaJitterStep step = media_jitter_take(jitter, now_us);
                if (step.action == MEDIA_JITTER_WAIT) {
                    break;
                }
                g_assert_cmpuint(step.duration_ms, <=, 200);
                if (step.action == MEDIA_JITTER_PLAY) {
                    g_free(step.frame.payload);
                }
            }
        }
        media_jitter_destroy(jitter);
    }
    media_jitter_destroy(NULL);
}

static void test_separate(void) {
    MediaJitter *jitter = media_jitter_create(MEDIA_JITTER_SEPARATE, g_free);
    g_autoptr(GArray) sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    for (guint i = 0; i < 300; i++) {
        Sent frame = frame_at(i, 0, 30000 + i % 3 * 9000);
        if (i % 50 != 25) {
            g_array_append_val(sent, frame);
        }
    }
    Heard heard = listen(jitter, sent, 1000000);
    g_assert_cmpuint(heard.played, ==, 294);
    g_assert_cmpuint(heard.concealed_ms, ==, 0);
    g_assert_cmpuint(media_jitter_counters(jitter).lost, ==, 6);
    media_jitter_destroy(jitter);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/jitter/clean", test_clean);
    g_test_add_func("/media/jitter/loss", test_loss);
    g_test_add_func("/media/jitter/reorder-and-jitter", test_reorder_and_jitter);
    g_test_add_func("/media/jitter/silence", test_silence);
    g_test_add_func("/media/jitter/delay-shrinks", test_delay_shrinks);
    g_test_add_func("/media/jitter/outages", test_outages);
    g_test_add_func("/media/jitter/way-changes", test_way_changes);
    g_test_add_func("/media/jitter/rare", test_rare);
    g_test_add_func("/media/jitter/numbers-wrap", test_numbers_wrap);
    g_test_add_func("/media/jitter/one-hour", test_one_hour);
    g_test_add_func("/media/jitter/speaker-restarts", test_speaker_restarts);
    g_test_add_func("/media/jitter/separate", test_separate);
    g_test_add_func("/media/jitter/nonsense", test_nonsense);
    return g_test_run();
}
