/* SPDX-License-Identifier: MPL-2.0 */
#include "node/page/watch.h"

#include <sodium.h>
#include <string.h>

#include "node/bus/json.h"

#define VERSION       1
#define FLAG_KEYFRAME 1

/* What is left before a page that was behind is given something again. */
#define ROOM_BYTES (WATCH_BYTES_MAX / 2)

static gboolean read_source(JsonObject *object, WatchSource *ret_source) {
    const char *member = json_text(object, "member", "");
    const char *kind = json_text(object, "kind", "");
    gint64 number = json_int(object, "source", -1);
    size_t length = 0;
    WatchSource source = {.number = (guint32)number,
                          .kind =
                              strcmp(kind, "screen") == 0 ? MESH_STREAM_SCREEN : MESH_STREAM_VIDEO};
    if (number < 0 || number > G_MAXUINT32 ||
        (strcmp(kind, "video") != 0 && strcmp(kind, "screen") != 0) ||
        sodium_hex2bin(source.member.bytes, MESH_KEY_SIZE, member, strlen(member), NULL, &length,
                       NULL) != 0 ||
        length != MESH_KEY_SIZE) {
        return FALSE;
    }
    *ret_source = source;
    return TRUE;
}

/* It goes on as it was, under the same number or another. */
static void carry_over(Watch *watch, WatchSource *source) {
    const WatchSource *before = watch_find(watch, &source->member, source->kind);
    if (before != NULL && before->number == source->number) {
        *source = *before;
    }
}

gboolean watch_set(Watch *watch, JsonNode *list) {
    Watch next = {.bytes = watch->bytes, .messages = watch->messages};
    if (!JSON_NODE_HOLDS_NULL(list)) {
        JsonArray *array = JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
        guint count = array != NULL ? json_array_get_length(array) : G_MAXUINT;
        if (count > WATCH_SOURCES_MAX) {
            return FALSE;
        }
        next.claims = TRUE;
        for (guint i = 0; i < count; i++) {
            JsonNode *node = json_array_get_element(array, i);
            WatchSource *source = &next.sources[next.count];
            if (!JSON_NODE_HOLDS_OBJECT(node) || !read_source(json_node_get_object(node), source) ||
                watch_numbered(&next, source->number) != NULL ||
                watch_find(&next, &source->member, source->kind) != NULL) {
                return FALSE;
            }
            carry_over(watch, source);
            next.count++;
        }
    }
    *watch = next;
    return TRUE;
}

WatchSource *watch_find(Watch *watch, const MeshKey *member, MeshStreamKind kind) {
    for (guint i = 0; i < watch->count; i++) {
        WatchSource *source = &watch->sources[i];
        if (source->kind == kind &&
            memcmp(source->member.bytes, member->bytes, MESH_KEY_SIZE) == 0) {
            return source;
        }
    }
    return NULL;
}

WatchSource *watch_numbered(Watch *watch, guint32 number) {
    for (guint i = 0; i < watch->count; i++) {
        if (watch->sources[i].number == number) {
            return &watch->sources[i];
        }
    }
    return NULL;
}

/* However large it is, one at least is let through. */
static gboolean has_room(const Watch *watch, gsize size) {
    return watch->messages < WATCH_COUNT_MAX &&
           (watch->messages == 0 || watch->bytes + size <= WATCH_BYTES_MAX);
}

static gboolean is_newer(const WatchSource *source, const Picture *picture) {
    return source->state == WATCH_NOTHING || picture->stream != source->last_stream ||
           (gint32)(picture->number - source->last_number) > 0;
}

gboolean watch_admits(const Watch *watch, WatchSource *source, const Picture *picture) {
    if (source->state == WATCH_SEEING && picture->stream != source->last_stream) {
        source->state = WATCH_BLIND;
    }
    if (source->state != WATCH_SEEING && !picture->keyframe) {
        return FALSE;
    }
    if (picture->age_ms > 0 && !is_newer(source, picture)) {
        return FALSE; /* what was kept, and is had */
    }
    if (!has_room(watch, WATCH_HEADER_SIZE + picture->payload.length)) {
        source->state = source->state == WATCH_SEEING ? WATCH_BLIND : source->state;
        source->missed = TRUE;
        return FALSE;
    }
    return TRUE;
}

gboolean watch_wishes(const Watch *watch, WatchSource *source, gint64 now_us) {
    if (watch->bytes > ROOM_BYTES || watch->messages > WATCH_COUNT_MAX / 2 ||
        (source->asked_us != 0 && now_us - source->asked_us < WATCH_ASK_US)) {
        return FALSE;
    }
    source->asked_us = now_us;
    return TRUE;
}

static void put_u32(guint8 *at, guint32 value) {
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof value);
}

GBytes *watch_message(const WatchSource *source, const Picture *picture) {
    gsize size = WATCH_HEADER_SIZE + picture->payload.length;
    guint8 *bytes = g_malloc(size);
    const guint32 numbers[] = {source->number,   picture->stream, picture->number,
                               picture->time_ms, picture->age_ms, (guint32)picture->payload.length};
    bytes[0] = VERSION;
    bytes[1] = (guint8)picture->codec;
    bytes[2] = picture->keyframe ? FLAG_KEYFRAME : 0;
    bytes[3] = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        put_u32(bytes + 4 + 4 * i, numbers[i]);
    }
    memcpy(bytes + WATCH_HEADER_SIZE, picture->payload.data, picture->payload.length);
    return g_bytes_new_take(bytes, size);
}

void watch_sent(Watch *watch, WatchSource *source, const Picture *picture) {
    watch->bytes += WATCH_HEADER_SIZE + picture->payload.length;
    watch->messages++;
    if (picture->keyframe || is_newer(source, picture)) {
        source->last_stream = picture->stream;
        source->last_number = picture->number;
    }
    /* What follows a picture that was kept would refer to others. */
    source->state = picture->age_ms == 0 ? WATCH_SEEING : WATCH_BLIND;
    source->missed = FALSE;
}

void watch_read(Watch *watch, gsize size) {
    watch->bytes -= MIN(size, watch->bytes);
    watch->messages -= MIN(1, watch->messages);
}

WatchSource *watch_missed(Watch *watch) {
    for (guint i = 0; i < watch->count && watch->bytes <= ROOM_BYTES; i++) {
        if (watch->sources[i].missed) {
            watch->sources[i].missed = FALSE;
            return &watch->sources[i];
        }
    }
    return NULL;
}
