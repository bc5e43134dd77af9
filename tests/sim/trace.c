/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/trace.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HASH_SIZE  16
#define SHOWN_SIZE 4 /* bytes of a hash that are printed */
#define KEPT_SIZE  8192

struct Trace {
    crypto_generichash_state state;
    size_t kept; /* bytes not hashed yet: many at once are hashed much faster */
    uint8_t bytes[KEPT_SIZE];
    TraceShown shown;
};

static const char *const event_names[] = {
    [MESH_EVENT_TIMEOUT] = "timeout",     [MESH_EVENT_DATAGRAM] = "datagram",
    [MESH_EVENT_ADDRESSES] = "addresses", [MESH_EVENT_ICE_OFFER] = "ice offer",
    [MESH_EVENT_ICE_UP] = "ice up",       [MESH_EVENT_ICE_DOWN] = "ice down",
    [MESH_EVENT_LOADED] = "loaded",       [MESH_EVENT_LOADED_END] = "loaded end",
    [MESH_EVENT_STORED] = "stored",       [MESH_EVENT_STORE_FAILED] = "store failed",
    [MESH_EVENT_FETCHED] = "fetched",     [MESH_EVENT_INTENT] = "intent",
    [MESH_EVENT_FRAME] = "frame",         [MESH_EVENT_WAKE] = "wake",
    [MESH_EVENT_LEAVE] = "leave",
};
static const char *const effect_names[] = {
    [MESH_EFFECT_SEND] = "send",
    [MESH_EFFECT_BEACON] = "beacon",
    [MESH_EFFECT_PERSIST] = "persist",
    [MESH_EFFECT_FORGET] = "forget",
    [MESH_EFFECT_FETCH] = "fetch",
    [MESH_EFFECT_ICE_START] = "ice start",
    [MESH_EFFECT_ICE_REMOTE] = "ice remote",
    [MESH_EFFECT_ICE_STOP] = "ice stop",
    [MESH_EFFECT_STREAM_OPEN] = "stream open",
    [MESH_EFFECT_STREAM_CLOSE] = "stream close",
    [MESH_EFFECT_FRAME] = "frame",
    [MESH_EFFECT_KEYFRAME] = "keyframe",
    [MESH_EFFECT_NOTIFY] = "notify",
    [MESH_EFFECT_DONE] = "done",
};

Trace *trace_create(TraceShown shown) {
    Trace *trace = g_new0(Trace, 1);

    crypto_generichash_init(&trace->state, NULL, 0, HASH_SIZE);
    trace->shown = shown;
    return trace;
}

void trace_destroy(Trace *trace) {
    g_free(trace);
}

/* ---- every field goes through one of these, into the hash and, in words, into the line ---- */

typedef struct {
    Trace *trace;
    GString *line; /* NULL when not shown */
} Pen;

static void settle(Trace *trace) {
    crypto_generichash_update(&trace->state, trace->bytes, trace->kept);
    trace->kept = 0;
}

static void put(Trace *trace, const void *bytes, size_t length) {
    if (length > KEPT_SIZE - trace->kept)
        settle(trace);
    if (length > KEPT_SIZE) {
        crypto_generichash_update(&trace->state, bytes, length);
        return;
    }
    memcpy(trace->bytes + trace->kept, bytes, length);
    trace->kept += length;
}

static void put_bytes(Pen *pen, const uint8_t *bytes, size_t length) {
    uint64_t size = length;

    put(pen->trace, &size, sizeof size);
    if (length)
        put(pen->trace, bytes, length);
    if (pen->line) {
        g_string_append_printf(pen->line, " %zu:", length);
        for (size_t i = 0; i < MIN(length, SHOWN_SIZE); i++)
            g_string_append_printf(pen->line, "%02x", bytes[i]);
    }
}

static void put_number(Pen *pen, uint64_t number) {
    put(pen->trace, &number, sizeof number);
    if (pen->line)
        g_string_append_printf(pen->line, " %" G_GUINT64_FORMAT, number);
}

static void put_text(Pen *pen, const char *text) {
    const char *written = text ? text : "";

    put(pen->trace, written, strlen(written) + 1);
    if (pen->line)
        g_string_append_printf(pen->line, " %s", written);
}

static void put_path(Pen *pen, const MeshPath *path) {
    GString *line = pen->line;

    pen->line = NULL;
    put_number(pen, path->kind);
    put_number(pen, path->agent);
    put_number(pen, path->family);
    put_number(pen, path->port);
    put_number(pen, path->interface);
    put_bytes(pen, path->ip, sizeof path->ip);
    pen->line = line;
    if (line && path->kind == MESH_PATH_KNOCK)
        g_string_append_printf(line, " %u.%u.%u.%u:%u", path->ip[0], path->ip[1], path->ip[2],
                               path->ip[3], path->port);
    else if (line)
        g_string_append_printf(line, " agent %u", path->agent);
}

static void put_item(Pen *pen, const MeshItem *item) {
    put_number(pen, item->kind);
    put_bytes(pen, item->key, item->key_length);
    put_bytes(pen, item->value, item->value_length);
}

static void put_frame(Pen *pen, const MeshFrame *frame) {
    put_number(pen, frame->kind);
    put_number(pen, frame->number);
    put_number(pen, frame->media_time_ms);
    put_number(pen, (uint64_t)frame->duration_ms << 24 | (uint64_t)frame->flags << 16 |
                        (uint64_t)frame->codec << 8 | frame->level);
    put_bytes(pen, frame->payload.data, frame->payload.length);
}

static void put_intent(Pen *pen, const MeshIntent *intent) {
    put_number(pen, intent->kind);
    put_number(pen, intent->tag);
    put_number(pen, intent->size);
    put_text(pen, intent->text);
    put_text(pen, intent->choice);
    put_bytes(pen, intent->hash.bytes, MESH_HASH_SIZE);
    put_bytes(pen, intent->key.bytes, MESH_KEY_SIZE);
    put_bytes(pen, intent->bytes.data, intent->bytes.length);
}

/* A line, printed when no less than `least` is. */
static Pen begin_line(Trace *trace, uint64_t now_us, const char *node, const char *sign,
                      const char *name, TraceShown least) {
    Pen pen = {trace, NULL};

    put_number(&pen, now_us);
    put_text(&pen, node);
    put_text(&pen, name);
    if (trace->shown >= least) {
        pen.line = g_string_new(NULL);
        g_string_append_printf(pen.line,
                               "# %4" G_GUINT64_FORMAT ".%06" G_GUINT64_FORMAT " %s %s %s",
                               now_us / G_USEC_PER_SEC, now_us % G_USEC_PER_SEC, node, sign, name);
    }
    return pen;
}

static Pen begin(Trace *trace, uint64_t now_us, const char *node, const char *sign,
                 const char *name) {
    return begin_line(trace, now_us, node, sign, name, TRACE_SHOWN);
}

static void finish(Pen *pen) {
    if (!pen->line)
        return;
    puts(pen->line->str);
    g_string_free(pen->line, TRUE);
}

void trace_event(Trace *trace, const char *node, const MeshEvent *event, MeshError answer) {
    Pen pen = begin(trace, event->now_us, node, "<-", event_names[event->kind]);

    switch (event->kind) {
    case MESH_EVENT_TIMEOUT:
    case MESH_EVENT_LOADED_END:
    case MESH_EVENT_WAKE:
    case MESH_EVENT_LEAVE:
        break;
    case MESH_EVENT_DATAGRAM:
        put_path(&pen, &event->datagram.path);
        put_bytes(&pen, event->datagram.bytes, event->datagram.length);
        break;
    case MESH_EVENT_ADDRESSES:
        for (size_t i = 0; i < event->addresses.count; i++)
            put_path(&pen, &event->addresses.paths[i]);
        break;
    case MESH_EVENT_ICE_OFFER:
        put_bytes(&pen, event->ice.offer.data, event->ice.offer.length);
        G_GNUC_FALLTHROUGH;
    case MESH_EVENT_ICE_UP:
    case MESH_EVENT_ICE_DOWN:
        put_number(&pen, event->ice.agent);
        break;
    case MESH_EVENT_LOADED:
        put_item(&pen, &event->item);
        break;
    case MESH_EVENT_STORED:
    case MESH_EVENT_STORE_FAILED:
    case MESH_EVENT_FETCHED:
        put_number(&pen, event->stored.token);
        put_bytes(&pen, event->stored.bytes.data, event->stored.bytes.length);
        break;
    case MESH_EVENT_INTENT:
        put_intent(&pen, event->intent);
        break;
    case MESH_EVENT_FRAME:
        put_frame(&pen, &event->frame);
        break;
    }
    put_text(&pen, answer == MESH_OK ? "" : mesh_error_text(answer));
    finish(&pen);
}

void trace_effect(Trace *trace, uint64_t now_us, const char *node, const MeshEffect *effect) {
    Pen pen = begin(trace, now_us, node, "->", effect_names[effect->kind]);

    switch (effect->kind) {
    case MESH_EFFECT_SEND:
        put_path(&pen, &effect->send.path);
        G_GNUC_FALLTHROUGH;
    case MESH_EFFECT_BEACON:
        put_bytes(&pen, effect->send.bytes, effect->send.length);
        break;
    case MESH_EFFECT_PERSIST:
    case MESH_EFFECT_FORGET:
    case MESH_EFFECT_FETCH:
        put_number(&pen, effect->store.token);
        put_item(&pen, &effect->store.item);
        break;
    case MESH_EFFECT_ICE_START:
        put_number(&pen, effect->ice.controlling);
        for (size_t i = 0; i < effect->ice.server_count; i++)
            put_path(&pen, &effect->ice.servers[i]);
        put_number(&pen, effect->ice.agent);
        break;
    case MESH_EFFECT_ICE_REMOTE:
        put_bytes(&pen, effect->ice.offer.data, effect->ice.offer.length);
        G_GNUC_FALLTHROUGH;
    case MESH_EFFECT_ICE_STOP:
        put_number(&pen, effect->ice.agent);
        break;
    case MESH_EFFECT_FRAME:
        put_frame(&pen, &effect->stream.frame);
        G_GNUC_FALLTHROUGH;
    case MESH_EFFECT_STREAM_OPEN:
    case MESH_EFFECT_STREAM_CLOSE:
        put_number(&pen, effect->stream.stream);
        put_bytes(&pen, effect->stream.speaker.bytes, MESH_KEY_SIZE);
        break;
    case MESH_EFFECT_KEYFRAME:
        put_number(&pen, effect->stream.frame.kind);
        break;
    case MESH_EFFECT_NOTIFY:
        put_number(&pen, effect->notify.notice);
        put_bytes(&pen, effect->notify.hash.bytes, MESH_HASH_SIZE);
        put_bytes(&pen, effect->notify.key.bytes, MESH_KEY_SIZE);
        break;
    case MESH_EFFECT_DONE:
        put_number(&pen, effect->done.tag);
        put_text(&pen, mesh_error_text(effect->done.error));
        put_bytes(&pen, effect->done.hash.bytes, MESH_HASH_SIZE);
        put_text(&pen, effect->done.text);
        break;
    }
    finish(&pen);
}

void trace_note(Trace *trace, uint64_t now_us, const char *format, ...) {
    va_list arguments;
    Pen pen = begin_line(trace, now_us, "world", "--", "", TRACE_NOTES);
    char *words;

    va_start(arguments, format);
    words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    put_text(&pen, words);
    g_free(words);
    finish(&pen);
}

char *trace_hash(Trace *trace) {
    crypto_generichash_state state;
    uint8_t hash[HASH_SIZE];
    char text[2 * HASH_SIZE + 1];

    settle(trace);
    state = trace->state;
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    return g_strdup(text);
}
