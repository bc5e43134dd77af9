/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/speakers.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/host/handlers.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/pictures.h"
#include "node/host/speech.h"

typedef struct {
    guint64 key; /* room and the Mesh's number */
    guint32 number;
    MeshStreamKind kind;
    MeshKey speaker;
    gboolean wished; /* a keyframe of it, soon */
} Stream;

/* What was counted of one kind of stream of one member. */
typedef struct {
    MeshKey key;
    MeshStreamKind kind;
    guint64 frames, in_time, late, lost, concealed, decoded, keyframes;
    guint delay_ms;
    guint open; /* streams now; only in a sum */
} Speaker;

static guint64 stream_key(const Room *room, guint32 stream) {
    return (guint64)room->number << 32 | stream;
}

static guint speaker_hash(gconstpointer data) {
    const Speaker *speaker = data;
    guint hash;
    memcpy(&hash, speaker->key.bytes, sizeof hash); /* keys are as good as random */
    return hash + speaker->kind;
}

static gboolean speaker_equal(gconstpointer first, gconstpointer second) {
    const Speaker *a = first, *b = second;
    return a->kind == b->kind && memcmp(a->key.bytes, b->key.bytes, MESH_KEY_SIZE) == 0;
}

void speakers_create(Host *host) {
    host->streams = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    host->speakers = g_hash_table_new_full(speaker_hash, speaker_equal, g_free, NULL);
}

void speakers_destroy(Host *host) {
    g_clear_handle_id(&host->wishes, g_source_remove);
    g_clear_pointer(&host->streams, g_hash_table_unref);
    g_clear_pointer(&host->speakers, g_hash_table_unref);
}

static Speaker *speaker_of(Host *host, const Stream *stream) {
    Speaker wanted = {.key = stream->speaker, .kind = stream->kind};
    Speaker *speaker = g_hash_table_lookup(host->speakers, &wanted);
    if (speaker == NULL) {
        speaker = g_memdup2(&wanted, sizeof wanted);
        g_hash_table_add(host->speakers, speaker);
    }
    return speaker;
}

static void add(Speaker *speaker, const MediaStats *stats) {
    speaker->frames += stats->frames;
    speaker->in_time += stats->in_time;
    speaker->late += stats->late;
    speaker->lost += stats->lost;
    speaker->concealed += stats->concealed;
    speaker->decoded += stats->decoded;
    speaker->keyframes += stats->keyframes;
    speaker->delay_ms = stats->delay_ms;
}

/* ---- streams ---- */

static const char *kind_name(MeshStreamKind kind) {
    return media_kind_name((MediaKind)kind);
}

void speakers_tell(Room *room, const MeshKey *member, MeshStreamKind kind, gboolean live) {
    Host *host = room->host;
    char meeting[MATCH_TEXT_SIZE], id[MATCH_TEXT_SIZE];
    if (host->bus == NULL || !bus_is_heard(host->bus)) {
        return;
    }
    match_text(mesh_info(room->mesh).id.bytes, meeting);
    match_text(member->bytes, id);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "meeting", meeting);
    json_put_flag(builder, "current", room == room_current(host));
    json_put_text(builder, "member", id);
    json_put_text(builder, "kind", kind_name(kind));
    json_put_flag(builder, "live", live);
    bus_publish(host->bus, "stream", builder);
}

static void stream_open(Room *room, const MeshEffect *effect) {
    Host *host = room->host;
    Stream *stream = g_new0(Stream, 1);
    *stream = (Stream){.key = stream_key(room, effect->stream.stream),
                       .number = ++host->stream,
                       .kind = effect->stream.frame.kind,
                       .speaker = effect->stream.speaker};
    g_hash_table_replace(host->streams, &stream->key, stream);
    speaker_of(host, stream);
    media_stream_open(host->media, stream->number, (MediaKind)stream->kind);
    speakers_tell(room, &stream->speaker, stream->kind, TRUE);
}

/* What was counted of it is kept with its speaker. */
static void stream_end(Room *room, const Stream *stream) {
    Host *host = room->host;
    MediaStats stats;
    if (media_stream_stats(host->media, stream->number, &stats)) {
        add(speaker_of(host, stream), &stats);
    }
    media_stream_close(host->media, stream->number);
    if (stream->kind == MESH_STREAM_VOICE) {
        speech_end(room, &stream->speaker);
    } else {
        pictures_end(host, &stream->speaker, stream->kind);
    }
    speakers_tell(room, &stream->speaker, stream->kind, FALSE);
}

static void stream_frame(Room *room, const Stream *stream, const MeshFrame *frame) {
    Host *host = room->host;
    MediaFrame played = {.stream = stream->number,
                         .number = frame->number,
                         .media_time_ms = frame->media_time_ms,
                         .duration_ms = frame->duration_ms,
                         .kind = (MediaKind)stream->kind,
                         .flags = frame->flags,
                         .codec = (MediaCodec)frame->codec,
                         .level = frame->level,
                         .payload = {frame->payload.data, (guint32)frame->payload.length}};
    media_stream_frame(host->media, stream->number, &played);
    if (stream->kind == MESH_STREAM_VOICE) {
        speech_heard(room, &stream->speaker, frame->level);
    } else if (room == room_current(host)) {
        pictures_show(host, &stream->speaker, stream->number, &played);
    }
}

void speakers_effect(Room *room, const MeshEffect *effect) {
    Host *host = room->host;
    guint64 key = stream_key(room, effect->stream.stream);
    const Stream *stream = g_hash_table_lookup(host->streams, &key);
    if (effect->kind == MESH_EFFECT_STREAM_OPEN && stream == NULL) {
        stream_open(room, effect);
    } else if (effect->kind == MESH_EFFECT_FRAME && stream != NULL) {
        stream_frame(room, stream, &effect->stream.frame);
    } else if (effect->kind == MESH_EFFECT_STREAM_CLOSE && stream != NULL) {
        stream_end(room, stream);
        g_hash_table_remove(host->streams, &key);
    }
}

static void asked(Room *room, const MeshEffect *effect, gpointer data) {
}

static void ask(Host *host, const Stream *stream) {
    Room *room = room_find(host, (guint)(stream->key >> 32));
    if (room != NULL) {
        MeshIntent intent = {.kind = MESH_INTENT_KEYFRAME, .stream = (guint32)stream->key};
        room_intent(room, &intent, asked, NULL);
    }
}

void speakers_keyframe(Host *host, guint32 number) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        if (stream->number == number) {
            ask(host, stream);
            return;
        }
    }
}

/* One at a time: what is asked for may change the streams there are. */
static const Stream *next_wish(Host *host) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Stream *stream = value;
        if (stream->wished) {
            stream->wished = FALSE;
            return stream;
        }
    }
    return NULL;
}

static gboolean wishes_due(gpointer data) {
    Host *host = data;
    host->wishes = 0;
    for (const Stream *stream = next_wish(host); stream != NULL; stream = next_wish(host)) {
        ask(host, stream);
    }
    return G_SOURCE_REMOVE;
}

/* Perhaps in the middle of a step of the Mesh, which takes no intent then. */
void speakers_wish(Host *host, const MeshKey *member, MeshStreamKind kind) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Stream *stream = value;
        stream->wished |= stream->kind == kind && stream->key >> 32 == host->current &&
                          memcmp(stream->speaker.bytes, member->bytes, MESH_KEY_SIZE) == 0;
    }
    if (host->wishes == 0) {
        host->wishes = g_idle_add(wishes_due, host);
    }
}

void speakers_room_closed(Room *room) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, room->host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        if (stream->key >> 32 == room->number) {
            stream_end(room, stream);
            g_hash_table_iter_remove(&iter);
        }
    }
}

/* ---- counters ---- */

/* What a member of the meeting is called, as `name`; empty for anybody else. */
static void put_name(JsonBuilder *builder, Room *room, const MeshKey *key, Language language) {
    MeshMember member;
    gboolean known = room != NULL && match_member_key(room->mesh, key, &member);
    json_put_text(builder, "name", known ? naming_member(language, &member) : "");
}

static void put_speaker(JsonBuilder *builder, Host *host, const Speaker *speaker,
                        Language language) {
    char id[MATCH_TEXT_SIZE];
    match_text(speaker->key.bytes, id);
    json_builder_begin_object(builder);
    json_put_text(builder, "id", id);
    put_name(builder, room_current(host), &speaker->key, language);
    if (speaker->kind != MESH_STREAM_VOICE) {
        json_put_text(builder, "kind", media_kind_name((MediaKind)speaker->kind));
        json_put_flag(builder, "live", speaker->open > 0);
    }
    json_put_int(builder, "frames", (gint64)speaker->frames);
    json_put_int(builder, "in_time", (gint64)speaker->in_time);
    json_put_int(builder, "late", (gint64)speaker->late);
    json_put_int(builder, "lost", (gint64)speaker->lost);
    if (speaker->kind == MESH_STREAM_VOICE) {
        json_put_int(builder, "concealed", (gint64)speaker->concealed);
    } else {
        json_put_int(builder, "decoded", (gint64)speaker->decoded);
        json_put_int(builder, "keyframes", (gint64)speaker->keyframes);
    }
    json_put_int(builder, "delay_ms", speaker->delay_ms);
    json_builder_end_object(builder);
}

/* With what its open streams have counted so far. */
static Speaker summed(Host *host, const Speaker *ended) {
    Speaker sum = *ended;
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        MediaStats stats;
        if (speaker_of(host, stream) != ended) {
            continue;
        }
        sum.open++;
        if (media_stream_stats(host->media, stream->number, &stats)) {
            add(&sum, &stats);
        }
    }
    return sum;
}

static void put(Host *host, JsonBuilder *builder, gboolean voices, Language language) {
    GHashTableIter iter;
    gpointer value = NULL;
    json_builder_begin_array(builder);
    g_hash_table_iter_init(&iter, host->speakers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Speaker sum = summed(host, value);
        if ((sum.kind == MESH_STREAM_VOICE) == voices) {
            put_speaker(builder, host, &sum, language);
        }
    }
    json_builder_end_array(builder);
}

void speakers_put(Host *host, JsonBuilder *builder, Language language) {
    put(host, builder, TRUE, language);
}

void speakers_put_videos(Host *host, JsonBuilder *builder, Language language) {
    put(host, builder, FALSE, language);
}

/* ---- who is heard and seen now ---- */

static void put_stream(JsonBuilder *builder, Room *room, const MeshKey *member, MeshStreamKind kind,
                       Language language) {
    char id[MATCH_TEXT_SIZE];
    match_text(member->bytes, id);
    json_builder_begin_object(builder);
    json_put_text(builder, "member", id);
    put_name(builder, room, member, language);
    json_put_text(builder, "kind", kind_name(kind));
    if (kind == MESH_STREAM_VOICE) {
        json_put_flag(builder, "speaking", speech_speaks(room, member));
    }
    json_builder_end_object(builder);
}

void host_handle_streams(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    GHashTableIter iter;
    gpointer value = NULL;
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_array();
    for (MeshStreamKind kind = MESH_STREAM_VOICE; kind <= MESH_STREAM_SCREEN; kind++) {
        const Source *source = &host->sources[kind];
        if (source->state == SOURCE_SENDING && source->room == room->number) {
            put_stream(builder, room, &host->key, kind, bus_call_language(call));
        }
    }
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        if (stream->key >> 32 == room->number) {
            put_stream(builder, room, &stream->speaker, stream->kind, bus_call_language(call));
        }
    }
    json_builder_end_array(builder);
    bus_call_reply(call, json_built(builder));
}
