/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/speakers.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/host/match.h"

typedef struct {
    guint64 key; /* room and the Mesh's number */
    guint32 number;
    MeshStreamKind kind;
    MeshKey speaker;
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
}

/* What was counted of it is kept with its speaker. */
static void stream_end(Host *host, const Stream *stream) {
    MediaStats stats;
    if (media_stream_stats(host->media, stream->number, &stats)) {
        add(speaker_of(host, stream), &stats);
    }
    media_stream_close(host->media, stream->number);
}

static void stream_frame(Host *host, const Stream *stream, const MeshFrame *frame) {
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
}

void speakers_effect(Room *room, const MeshEffect *effect) {
    Host *host = room->host;
    guint64 key = stream_key(room, effect->stream.stream);
    const Stream *stream = g_hash_table_lookup(host->streams, &key);
    if (effect->kind == MESH_EFFECT_STREAM_OPEN && stream == NULL) {
        stream_open(room, effect);
    } else if (effect->kind == MESH_EFFECT_FRAME && stream != NULL) {
        stream_frame(host, stream, &effect->stream.frame);
    } else if (effect->kind == MESH_EFFECT_STREAM_CLOSE && stream != NULL) {
        stream_end(host, stream);
        g_hash_table_remove(host->streams, &key);
    }
}

static void asked(Room *room, const MeshEffect *effect, gpointer data) {
}

void speakers_keyframe(Host *host, guint32 number) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        Room *room = stream->number == number ? room_find(host, (guint)(stream->key >> 32)) : NULL;
        if (room != NULL) {
            MeshIntent intent = {.kind = MESH_INTENT_KEYFRAME, .stream = (guint32)stream->key};
            room_intent(room, &intent, asked, NULL);
            return;
        }
    }
}

void speakers_room_closed(Room *room) {
    GHashTableIter iter;
    gpointer value = NULL;
    g_hash_table_iter_init(&iter, room->host->streams);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Stream *stream = value;
        if (stream->key >> 32 == room->number) {
            stream_end(room->host, stream);
            g_hash_table_iter_remove(&iter);
        }
    }
}

/* ---- counters ---- */

static void put_speaker(JsonBuilder *builder, const Speaker *speaker) {
    char id[MATCH_TEXT_SIZE];
    match_text(speaker->key.bytes, id);
    json_builder_begin_object(builder);
    json_put_text(builder, "id", id);
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

static void put(Host *host, JsonBuilder *builder, gboolean voices) {
    GHashTableIter iter;
    gpointer value = NULL;
    json_builder_begin_array(builder);
    g_hash_table_iter_init(&iter, host->speakers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Speaker sum = summed(host, value);
        if ((sum.kind == MESH_STREAM_VOICE) == voices) {
            put_speaker(builder, &sum);
        }
    }
    json_builder_end_array(builder);
}

void speakers_put(Host *host, JsonBuilder *builder) {
    put(host, builder, TRUE);
}

void speakers_put_videos(Host *host, JsonBuilder *builder) {
    put(host, builder, FALSE);
}
