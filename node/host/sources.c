/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/sources.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/bandwidth.h"
#include "node/host/devices.h"
#include "node/host/handlers.h"
#include "node/host/notice.h"
#include "node/host/pictures.h"
#include "node/host/speakers.h"
#include "node/host/speech.h"
#include "node/host/talk.h"
#include "node/host/voice_message.h"

#define LOOK_MS 200
#define LOOKS   5 /* from one time the encoders are told to the next, */
/* unless it carries so much less: what they send more than that would wait in the line. */
#define SLOWER_NUM   3
#define SLOWER_DENOM 4

/* ---- how the line is, for the encoders ---- */

/* What is worse of either: one encoder serves them all. */
static void worsen(MediaUplink *uplink, const MeshMember *member) {
    guint16 loss_permille = (guint16)MIN(member->loss_ppm / 1000, 1000);
    guint16 rtt_ms = (guint16)MIN(member->rtt_us / 1000, G_MAXUINT16);
    guint16 queue_ms = (guint16)MIN(member->queue_us / 1000, G_MAXUINT16);
    uplink->rate_bps =
        uplink->rate_bps == 0 ? member->rate_bps : MIN(uplink->rate_bps, member->rate_bps);
    uplink->loss_permille = MAX(uplink->loss_permille, loss_permille);
    uplink->rtt_ms = MAX(uplink->rtt_ms, rtt_ms);
    uplink->queue_ms = MAX(uplink->queue_ms, queue_ms);
}

/* What is sent to all may not be more than a person allows. */
static void bound(Room *room, MediaUplink *uplink) {
    guint share_bps = bandwidth_share_bps(room);
    if (share_bps > 0 && (uplink->rate_bps == 0 || share_bps < uplink->rate_bps)) {
        uplink->rate_bps = share_bps;
        room->host->uplink_bound = TRUE;
    }
}

/*
 * The worst of the links by which the sources of this node leave, of those that carry a voice at
 * all: whoever sits behind a line that cannot gets no clearer a voice when that of all others is
 * made poorer. When no link can, the worst of all.
 */
static MediaUplink worst_link(Host *host) {
    MediaUplink able = {0}, any = {0};
    host->uplink_bound = FALSE;
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        const Source *source = &host->sources[kind];
        Room *room = source->state != SOURCE_OFF ? room_find(host, source->room) : NULL;
        MeshMember member;
        for (size_t i = 0; room != NULL && mesh_member(room->mesh, i, &member); i++) {
            if (member.state != MESH_LINK_UP || member.self || member.rate_bps == 0) {
                continue;
            }
            worsen(&any, &member);
            if (member.rate_bps >= MEDIA_VOICE_RATE_LEAST) {
                worsen(&able, &member);
            }
        }
    }
    MediaUplink worst = able.rate_bps != 0 ? able : any;
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        const Source *source = &host->sources[kind];
        Room *room = source->state != SOURCE_OFF ? room_find(host, source->room) : NULL;
        if (room != NULL) {
            bound(room, &worst);
        }
    }
    return worst;
}

static gboolean uplink_due(gpointer data) {
    Host *host = data;
    MediaUplink uplink = worst_link(host);
    gboolean slower = uplink.rate_bps != 0 && (guint64)uplink.rate_bps * SLOWER_DENOM <
                                                  (guint64)host->uplink_bps * SLOWER_NUM;
    if (++host->uplink_looks < LOOKS && !slower) {
        return G_SOURCE_CONTINUE;
    }
    host->uplink_looks = 0;
    host->uplink_bps = uplink.rate_bps;
    const Source *voice = &host->sources[MEDIA_KIND_VOICE];
    media_uplink(host->media, &uplink);
    if (voice->held && voice->call != NULL && !bus_call_is_awaited(voice->call)) {
        sources_talk_end(host); /* nobody holds the button any more */
    }
    return G_SOURCE_CONTINUE;
}

/* The line is told only while something is captured. */
static void uplink_keep(Host *host) {
    gboolean wanted = FALSE;
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        wanted |= host->sources[kind].state != SOURCE_OFF;
    }
    if (wanted && host->uplink_timer == 0) {
        host->uplink_timer = g_timeout_add(LOOK_MS, uplink_due, host);
        host->uplink_looks = LOOKS;
        uplink_due(host);
    } else if (!wanted) {
        g_clear_handle_id(&host->uplink_timer, g_source_remove);
    }
}

/* ---- one source ---- */

static void stopped(Room *room, const MeshEffect *effect, gpointer data) {
}

static void answer_talk(BusCall *call) {
    JsonBuilder *builder = json_begin_object();
    json_put_flag(builder, "live", TRUE);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

/* What this node itself knows and tells of it is over too. */
static void forget(Room *room, MediaKind kind, gboolean told) {
    Host *host = room->host;
    if (kind == MEDIA_KIND_VOICE) {
        speech_end(room, &host->key);
    } else {
        pictures_end(host, &host->key, (MeshStreamKind)kind);
    }
    if (told) {
        speakers_tell(room, &host->key, (MeshStreamKind)kind, FALSE);
    }
}

/* Nothing more is sent; the one who waits for it is refused, who spoke is told that it is over. */
static void turn_off(Host *host, MediaKind kind, const char *reason) {
    Source *source = &host->sources[kind];
    SourceState before = source->state;
    BusCall *call = g_steal_pointer(&source->call);
    Room *room = room_find(host, source->room);
    source->state = SOURCE_OFF;
    g_clear_handle_id(&source->timer, g_source_remove);
    if (call != NULL && source->held && before == SOURCE_SENDING) {
        answer_talk(call);
    } else if (call != NULL) {
        bus_call_refuse_text(call, reason);
    }
    if (room != NULL && (before == SOURCE_ANNOUNCING || before == SOURCE_SENDING)) {
        MeshIntent intent = {.kind = MESH_INTENT_STREAM_STOP, .stream_kind = (MeshStreamKind)kind};
        room_intent(room, &intent, stopped, NULL);
    }
    if (room != NULL && before != SOURCE_OFF) {
        forget(room, kind, before == SOURCE_SENDING);
    }
    uplink_keep(host);
}

/* Whoever talked is done: the microphone is on again for what it was on for before. */
static void resume(Host *host) {
    Source *source = &host->sources[MEDIA_KIND_VOICE];
    g_autofree char *words = g_steal_pointer(&source->resume);
    if (words != NULL) {
        sources_resume(host, source->resume_room, words);
    }
}

static gboolean talk_over(gpointer data) {
    ((Host *)data)->sources[MEDIA_KIND_VOICE].timer = 0;
    sources_talk_end(data);
    return G_SOURCE_REMOVE;
}

/* Whoever asked for it waits no longer, or, with push-to-talk, until it is off again. */
static void speaking(Host *host, Source *source) {
    source->state = SOURCE_SENDING;
    if (source->held) {
        talk_say_live(source->call);
        source->timer =
            source->seconds > 0 ? g_timeout_add_seconds(source->seconds, talk_over, host) : 0;
    } else if (source->call != NULL) {
        bus_call_reply(g_steal_pointer(&source->call), NULL);
    }
}

/* In the middle of a step of the Mesh: it only keeps or drops what runs. */
static void announced(Room *room, const MeshEffect *effect, gpointer data) {
    Source *source = data;
    if (source->state != SOURCE_ANNOUNCING || source->room != room->number) {
        return; /* stopped meanwhile */
    }
    MediaKind kind = (MediaKind)(source - room->host->sources);
    if (effect->done.error == MESH_OK) {
        speaking(room->host, source);
        speakers_tell(room, &room->host->key, (MeshStreamKind)kind, TRUE);
        return;
    }
    BusCall *call = g_steal_pointer(&source->call);
    source->state = SOURCE_OFF;
    media_source_stop(room->host->media, kind);
    forget(room, kind, FALSE);
    uplink_keep(room->host);
    if (call != NULL) {
        room_refuse(call, effect->done.error);
    }
}

/* It runs: the meeting is told, and then whoever asked for it. */
static void announce(Host *host, MediaKind kind) {
    Source *source = &host->sources[kind];
    Room *room = room_find(host, source->room);
    if (room == NULL) {
        media_source_stop(host->media, kind);
        turn_off(host, kind, mesh_error_text(MESH_ERROR_STATE));
        return;
    }
    source->state = SOURCE_ANNOUNCING;
    MeshIntent intent = {.kind = MESH_INTENT_STREAM_START, .stream_kind = (MeshStreamKind)kind};
    room_intent(room, &intent, announced, source);
}

/* One sees oneself as the others do. */
static void show_own(Room *room, const Source *source, const MediaFrame *frame) {
    Host *host = room->host;
    if (frame->kind == MEDIA_KIND_VOICE) {
        speech_heard(room, &host->key, frame->level);
    } else {
        pictures_show(host, &host->key, (guint32)source->number, frame);
    }
}

void sources_frame(Host *host, const MediaFrame *frame) {
    Source *source = &host->sources[frame->kind];
    if (devices_frame(host, frame)) {
        return;
    }
    if (frame->kind == MEDIA_KIND_VOICE && voice_record_frame(host, frame)) {
        return;
    }
    if (source->state == SOURCE_WAITING) {
        announce(host, frame->kind);
    }
    Room *room = source->state != SOURCE_OFF ? room_find(host, source->room) : NULL;
    if (room == NULL || frame->payload.length > MESH_FRAME_MAX) {
        host->frames_dropped++;
        return;
    }
    show_own(room, source, frame);
    MeshEvent event = {.kind = MESH_EVENT_FRAME,
                       .frame = {.kind = (MeshStreamKind)frame->kind,
                                 .number = frame->number,
                                 .media_time_ms = frame->media_time_ms,
                                 .duration_ms = frame->duration_ms,
                                 .flags = frame->flags,
                                 .codec = (uint8_t)frame->codec,
                                 .level = frame->level,
                                 .payload = {frame->payload.data, frame->payload.length}}};
    room_step(room, &event);
}

void sources_keyframe(Room *room, MediaKind kind) {
    const Source *source = &room->host->sources[kind];
    if (source->state != SOURCE_OFF && source->room == room->number) {
        media_keyframe(room->host->media, kind);
    }
}

static const char *kind_name(MediaKind kind) {
    return kind == MEDIA_KIND_VOICE   ? N_("microphone")
           : kind == MEDIA_KIND_VIDEO ? N_("camera")
                                      : N_("screen");
}

/* What ended by itself, and why; the helper gives the reason in English. */
static void tell_ended(Host *host, MediaKind kind, const char *reason) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = g_strdup_printf(language_text_in(language, N_("%s: %s")),
                                          language_text_in(language, kind_name(kind)),
                                          language_text_in(language, reason));
    }
    notice_tell_texts(host, NULL, texts);
}

void sources_ended(Host *host, MediaKind kind, const char *reason) {
    if (devices_ended(host, kind, reason)) {
        return;
    }
    if (kind == MEDIA_KIND_VOICE && voice_record_ended(host, reason)) {
        return;
    }
    if (host->sources[kind].state == SOURCE_OFF) {
        return;
    }
    turn_off(host, kind, reason != NULL ? reason : N_("the source has ended"));
    if (reason != NULL) {
        tell_ended(host, kind, reason);
    }
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "kind", media_kind_name(kind));
    json_put_text(builder, "reason", reason);
    bus_publish(host->bus, "source", builder);
    if (kind == MEDIA_KIND_VOICE) {
        resume(host);
    }
}

typedef struct {
    Host *host;
    MediaKind kind;
    guint64 number; /* of the source asked for, which another may have replaced */
} Asked;

static void started(gpointer data, const GError *error) {
    g_autofree Asked *asked = data;
    const Source *source = &asked->host->sources[asked->kind];
    if (source->state == SOURCE_OFF || source->number != asked->number) {
        return;
    }
    if (error != NULL) {
        turn_off(asked->host, asked->kind, error->message);
        if (asked->kind == MEDIA_KIND_VOICE) {
            resume(asked->host);
        }
    } else if (source->state == SOURCE_WAITING) {
        announce(asked->host, asked->kind);
    }
}

void sources_room_left(Room *room) {
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        const Source *source = &room->host->sources[kind];
        if (source->state != SOURCE_OFF && source->room == room->number) {
            media_source_stop(room->host->media, (MediaKind)kind);
            g_clear_pointer(&room->host->sources[kind].resume, g_free);
            turn_off(room->host, (MediaKind)kind, N_("it was switched off"));
        }
    }
}

void sources_destroy(Host *host) {
    for (guint kind = MEDIA_KIND_VOICE; kind < SOURCE_KINDS; kind++) {
        media_source_stop(host->media, (MediaKind)kind);
        turn_off(host, (MediaKind)kind, N_("the node is ending"));
        g_clear_pointer(&host->sources[kind].words, g_free);
        g_clear_pointer(&host->sources[kind].resume, g_free);
    }
}

/* ---- the commands ---- */

typedef struct {
    guint room;
    const char *words;
    BusCall *call; /* or NULL */
    gboolean held;
    guint seconds;
} Wanted;

static void switch_on(Host *host, MediaKind kind, const Wanted *wanted) {
    Source *source = &host->sources[kind];
    devices_make_way(host, kind);
    turn_off(host, kind, N_("another source was asked for"));
    source->state = SOURCE_WAITING;
    source->room = wanted->room;
    source->call = wanted->call;
    source->held = wanted->held;
    source->seconds = wanted->seconds;
    source->number++;
    g_free(source->words);
    source->words = g_strdup(wanted->words);
    g_clear_pointer(&source->resume, g_free);
    uplink_keep(host);
    Asked *asked = g_new(Asked, 1);
    *asked = (Asked){host, kind, source->number};
    media_source_start(host->media, kind, devices_source(host, kind, wanted->words), started,
                       asked);
}

static void handle_on(Host *host, BusCall *call, MediaKind kind) {
    const char *wanted = json_text(bus_call_arguments(call), "source", "auto");
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    if (kind == MEDIA_KIND_SCREEN && strcmp(wanted, "auto") == 0 && host->media != NULL &&
        !media_has_display()) {
        bus_call_refuse(call, N_("there is no screen: this node was started without one"));
        return;
    }
    if (kind == MEDIA_KIND_VOICE && voice_record_runs(host)) {
        bus_call_refuse(call,
                        N_("a voice message is being recorded: `maillon voice stop` ends it"));
        return;
    }
    switch_on(host, kind, &(Wanted){.room = room->number, .words = wanted, .call = call});
}

static void handle_off(Host *host, BusCall *call, MediaKind kind) {
    if (kind == MEDIA_KIND_VOICE && voice_record_runs(host)) {
        voice_record_mic_off(host);
        bus_call_reply(call, NULL);
        return;
    }
    media_source_stop(host->media, kind);
    g_clear_pointer(&host->sources[kind].resume, g_free);
    turn_off(host, kind, N_("it was switched off"));
    bus_call_reply(call, NULL);
}

/* ---- the microphone, held or lent ---- */

static void mic_off(Host *host, const char *reason) {
    media_source_stop(host->media, MEDIA_KIND_VOICE);
    turn_off(host, MEDIA_KIND_VOICE, reason);
}

/* What the microphone is on for when nobody holds it; NULL: nothing. The caller frees. */
static char *lasting(Source *source, guint *ret_room) {
    if (source->held && source->state != SOURCE_OFF) {
        *ret_room = source->resume_room;
        return g_steal_pointer(&source->resume);
    }
    *ret_room = source->room;
    return source->state != SOURCE_OFF ? g_strdup(source->words) : NULL;
}

void sources_talk(Room *room, const char *words, guint seconds, BusCall *call) {
    Source *source = &room->host->sources[MEDIA_KIND_VOICE];
    Wanted wanted = {room->number, words, call, TRUE, seconds};
    guint before_room = 0;
    char *before = lasting(source, &before_room);
    switch_on(room->host, MEDIA_KIND_VOICE, &wanted);
    source->resume = before;
    source->resume_room = before_room;
}

void sources_talk_end(Host *host) {
    if (host->sources[MEDIA_KIND_VOICE].held) {
        mic_off(host, N_("it was switched off"));
        resume(host);
    }
}

char *sources_make_way(Host *host, guint *ret_room) {
    Source *source = &host->sources[MEDIA_KIND_VOICE];
    if (source->state == SOURCE_OFF) {
        return NULL;
    }
    char *words = lasting(source, ret_room);
    mic_off(host, N_("a voice message is being recorded"));
    return words;
}

void sources_resume(Host *host, guint room, const char *words) {
    switch_on(host, MEDIA_KIND_VOICE, &(Wanted){.room = room, .words = words});
}

void host_handle_mic_on(Host *host, BusCall *call) {
    handle_on(host, call, MEDIA_KIND_VOICE);
}

void host_handle_mic_off(Host *host, BusCall *call) {
    handle_off(host, call, MEDIA_KIND_VOICE);
}

void host_handle_cam_on(Host *host, BusCall *call) {
    handle_on(host, call, MEDIA_KIND_VIDEO);
}

void host_handle_cam_off(Host *host, BusCall *call) {
    handle_off(host, call, MEDIA_KIND_VIDEO);
}

void host_handle_screen_on(Host *host, BusCall *call) {
    handle_on(host, call, MEDIA_KIND_SCREEN);
}

void host_handle_screen_off(Host *host, BusCall *call) {
    handle_off(host, call, MEDIA_KIND_SCREEN);
}
