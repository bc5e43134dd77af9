/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/talk.h"

#include <string.h>

#include "media/jitter.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"
#include "tests/sim/scenario.h"

#define TICK_US      10000 /* the player mixes so much at a time */
#define UPLINK_US    SECOND_US
#define LOOK_US      (UPLINK_US / 5) /* as the node does: sooner, if it carries much less */
#define TAIL_US      (3 * SECOND_US)
#define SENTENCE_MS  6000
#define PAUSE_MS     700
#define WORDS_MS     2500
#define GAP_MS       240
#define LOUD         20
#define FAINT        60
#define FIRST_NUMBER 130900 /* its low 16 bits wrap soon */

typedef enum {
    TALK_SPOKEN,
    TALK_HEARD, /* what was spoken still arrives */
    TALK_OVER,
} TalkState;

struct Talk {
    Node *speaker, *listener;
    Line *line;
    TalkState state;
    MediaVoiceRung rung;
    uint32_t told_bps; /* what the ladder last knew of the line, */
    uint64_t told_us;  /* and when */
    uint32_t number;
    uint64_t media_ms; /* of the packet being captured */
    uint64_t begun_us;
    bool paused;
    MediaJitter *jitter;
    uint64_t played_us; /* what sounds is decided until then */
    GHashTable *spoken; /* number → when it was uttered, until it is played */
    GArray *delays_us;
    TalkFigures figures;
    MediaJitterCounters before; /* of what was forgotten */
};

/* ---- speaking ---- */

static void follow_line(Node *node, gpointer context) {
    Talk *talk = context;
    MediaUplink line = {0};
    MeshMember member;
    unsigned state = 0;

    if (talk->state != TALK_SPOKEN)
        return;
    for (size_t i = 0; mesh_member(node->mesh, i, &member); i++) {
        if (member.state != MESH_LINK_UP || member.self)
            continue;
        state = member.line_state;
        line = (MediaUplink){.rate_bps = member.rate_bps,
                             .loss_permille = (uint16_t)MIN(member.loss_ppm / 1000, 1000),
                             .rtt_ms = (uint16_t)MIN(member.rtt_us / 1000, UINT16_MAX)};
    }
    node_later(node, LOOK_US, follow_line, talk, NULL);
    if (talk->told_us > 0 && world_now_us(node->world) < talk->told_us + UPLINK_US &&
        (line.rate_bps == 0 || line.rate_bps >= talk->told_bps / 4 * 3))
        return;
    talk->told_us = world_now_us(node->world);
    talk->told_bps = line.rate_bps;
    world_note(node->world, "line %u bit/s, loss %u, trip %u ms, state %u, rung %u", line.rate_bps,
               line.loss_permille, line.rtt_ms, state, talk->rung.rung);
    talk->figures.changes += talk->rung.rung != media_ladder_voice(&line, &talk->rung).rung;
    talk->rung = media_ladder_voice(&line, &talk->rung);
}

static void utter(Talk *talk, const MediaVoiceRung *rung, bool last) {
    Node *node = talk->speaker;
    uint64_t now_us = world_now_us(node->world);
    uint32_t head[2] = {talk->number, node->number};
    uint8_t payload[MESH_DATAGRAM_MAX];
    size_t size = (size_t)rung->bitrate_bps * rung->packet_ms / 8000;
    bool faint = talk->media_ms % WORDS_MS < GAP_MS;
    MeshEvent event = {.kind = MESH_EVENT_FRAME};

    memset(payload, (uint8_t)talk->number, size);
    memcpy(payload, head, sizeof head);
    memcpy(payload + sizeof head, &now_us, sizeof now_us);
    event.frame = (MeshFrame){.kind = MESH_STREAM_VOICE,
                              .number = talk->number++,
                              .media_time_ms = (uint32_t)talk->media_ms,
                              .duration_ms = rung->packet_ms,
                              .flags = last ? MEDIA_FLAG_SILENCE : 0,
                              .codec = (uint8_t)rung->codec,
                              .level = faint ? FAINT : LOUD,
                              .payload = {payload, size}};
    talk->figures.spoken++;
    talk->figures.up += talk->line->lane.fade.state == EMULATOR_FADE_GOOD;
    talk->figures.rungs[rung->rung]++;
    g_hash_table_insert(talk->spoken, GUINT_TO_POINTER(event.frame.number),
                        GSIZE_TO_POINTER(now_us - rung->packet_ms * 1000));
    node_step(node, &event);
}

/* A packet has been captured. */
static void speak(Node *node, gpointer context) {
    Talk *talk = context;
    MediaVoiceRung rung = talk->rung;
    uint64_t at_ms = talk->media_ms % (SENTENCE_MS + PAUSE_MS);

    if (talk->state != TALK_SPOKEN)
        return;
    if (at_ms < SENTENCE_MS)
        utter(talk, &rung, at_ms + rung.packet_ms >= SENTENCE_MS);
    talk->media_ms += rung.packet_ms;
    node_later(node, talk->rung.packet_ms * UINT64_C(1000), speak, talk, NULL);
}

/* ---- listening ---- */

static void hear(gpointer context, const MeshFrame *frame) {
    Talk *talk = context;
    MediaJitterFrame entry = {.number = frame->number,
                              .media_time_ms = frame->media_time_ms,
                              .duration_ms = frame->duration_ms,
                              .flags = frame->flags,
                              .level = frame->level};

    media_jitter_put(talk->jitter, &entry, world_now_us(talk->listener->world));
}

static void sound(Talk *talk, const MediaJitterStep *step) {
    gpointer number = GUINT_TO_POINTER(step->frame.number);
    uint64_t uttered_us = GPOINTER_TO_SIZE(g_hash_table_lookup(talk->spoken, number));
    uint64_t delay_us = talk->played_us - uttered_us;

    if (uttered_us > 0)
        g_array_append_val(talk->delays_us, delay_us);
}

static void play(Node *node, gpointer context) {
    Talk *talk = context;
    uint64_t now_us = world_now_us(node->world);

    if (talk->state == TALK_OVER)
        return;
    talk->played_us = MAX(talk->played_us, now_us);
    while (talk->played_us < now_us + TICK_US) {
        MediaJitterStep step = media_jitter_take(talk->jitter, talk->played_us);

        if (step.action == MEDIA_JITTER_WAIT) {
            talk->played_us += MIN(step.wait_us, TICK_US) + 1;
            continue;
        }
        if (step.action == MEDIA_JITTER_PLAY)
            sound(talk, &step);
        talk->played_us += step.duration_ms * UINT64_C(1000);
    }
    node_later(node, TICK_US, play, talk, NULL);
}

/* ---- the whole ---- */

Talk *talk_begin(Node *speaker, Node *listener) {
    Talk *talk = g_new0(Talk, 1);
    World *world = speaker->world;

    talk->speaker = speaker;
    talk->listener = listener;
    talk->line = network_line(world->network, speaker->number, listener->number);
    talk->rung = media_ladder_voice_first(MEDIA_PROFILE_AUTO);
    talk->number = FIRST_NUMBER;
    talk->begun_us = world_now_us(world);
    talk->jitter = media_jitter_create(MEDIA_JITTER_CONTINUOUS, NULL);
    talk->spoken = g_hash_table_new(NULL, NULL);
    talk->delays_us = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    voice_ear(listener, speaker->number)->listen = hear;
    voice_ear(listener, speaker->number)->listener = talk;
    emulator_lane_reset(&talk->line->lane, talk->begun_us);
    person_ask(speaker,
               (MeshIntent){.kind = MESH_INTENT_STREAM_START, .stream_kind = MESH_STREAM_VOICE});
    follow_line(speaker, talk);
    node_later(speaker, talk->rung.packet_ms * UINT64_C(1000), speak, talk, NULL);
    play(listener, talk);
    return talk;
}

void talk_forget(Talk *talk) {
    g_array_set_size(talk->delays_us, 0);
    talk->before = media_jitter_counters(talk->jitter);
    talk->figures = (TalkFigures){0};
    talk->begun_us = world_now_us(talk->speaker->world);
    emulator_lane_reset(&talk->line->lane, talk->begun_us);
}

uint64_t talk_missed(const Talk *talk) {
    MediaJitterCounters counters = media_jitter_counters(talk->jitter);

    return (uint64_t)counters.late + counters.lost;
}

TalkFigures talk_end(Talk *talk) {
    World *world = talk->speaker->world;
    TalkFigures figures;
    MediaJitterCounters counters;

    talk->state = TALK_HEARD;
    talk->figures.lasted_us = world_now_us(world) - talk->begun_us;
    talk->figures.wire_bytes = talk->line->lane.stats.bytes;
    world_run(world, TAIL_US, NULL, NULL);
    talk->state = TALK_OVER;
    counters = media_jitter_counters(talk->jitter);
    figures = talk->figures;
    figures.in_time = counters.in_time - talk->before.in_time;
    figures.late = counters.late - talk->before.late;
    figures.lost = counters.lost - talk->before.lost;
    figures.half_us = scenario_percentile(talk->delays_us, 50);
    figures.most_us = scenario_percentile(talk->delays_us, 95);
    voice_ear(talk->listener, talk->speaker->number)->listen = NULL;
    if (talk->speaker->mesh)
        person_ask(talk->speaker,
                   (MeshIntent){.kind = MESH_INTENT_STREAM_STOP, .stream_kind = MESH_STREAM_VOICE});
    world_run(world, 2 * LOOK_US, NULL, NULL); /* nothing asks for it any more */
    media_jitter_destroy(talk->jitter);
    g_hash_table_unref(talk->spoken);
    g_array_unref(talk->delays_us);
    g_free(talk);
    return figures;
}

void talk_note(World *world, const char *what, const TalkFigures *figures) {
    GString *rungs = g_string_new(NULL);

    for (unsigned i = 0; i < TALK_RUNGS; i++)
        if (figures->rungs[i] > 0)
            g_string_append_printf(rungs, " %u:%" G_GUINT64_FORMAT, i, figures->rungs[i]);
    world_note(world,
               "%s: %.2f %% of %" G_GUINT64_FORMAT
               " packets in time (%.2f %% of the time up), %" G_GUINT64_FORMAT
               " late, %" G_GUINT64_FORMAT " lost, %.0f ms from mouth to ear, "
               "%.0f of 95 in 100; %.1f kbit/s on the wire; rungs%s, %" G_GUINT64_FORMAT " changes",
               what, 100.0 * (double)figures->in_time / (double)figures->spoken, figures->spoken,
               100.0 * (double)figures->up / (double)figures->spoken, figures->late, figures->lost,
               (double)figures->half_us / 1e3, (double)figures->most_us / 1e3,
               (double)figures->wire_bytes * 8e3 / (double)figures->lasted_us, rungs->str,
               figures->changes);
    g_string_free(rungs, TRUE);
}
