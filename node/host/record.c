/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/record.h"

#include <glib/gstdio.h>
#include <string.h>

#include "media/wav.h"
#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/notice.h"

#define RATE           48000
#define SAMPLES_MAX    ((guint64)G_MAXUINT32 / sizeof(gint16) - RATE)
#define PAUSE_S_MAX    60   /* a longer one is cut, so that a disk is not filled with silence */
#define LAST_WORD_MS   2000 /* for the player to hand on what it still has */
#define SILENCE_LENGTH 4800
#define FIRST_MAX      (2 * RATE) /* the player holds no more */

struct Record {
    MediaWav *wav;
    char *path;
    guint64 written; /* samples */
    guint64 base;    /* the player's number 0, here */
    gint64 heard_us;
    BusCall *stopping; /* waits for the last samples; NULL: it goes on */
    guint timer;
};

const char *record_path(const Host *host) {
    return host->record != NULL ? host->record->path : NULL;
}

/* Why it ends by itself, in English, with its path. */
#define DISK_FULL N_("the recording %s has ended: the disk takes no more")
#define FILE_FULL N_("the recording %s has ended: a WAV file holds no more than 4 GiB")

static void publish(Host *host, const char *path, gboolean on) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "path", path);
    json_put_flag(builder, "on", on);
    json_put_text(builder, "reason",
                  on || host->record_end == RECORD_END_ASKED ? ""
                  : host->record_end == RECORD_END_DISK_FULL ? "disk"
                                                             : "size");
    bus_publish(host->bus, "record", builder);
}

/* Whoever asks for the end is told when there was another before. */
static void refuse_ended(const Host *host, BusCall *call) {
    if (host->record_end == RECORD_END_DISK_FULL) {
        bus_call_refuse(call, DISK_FULL, host->record_path);
    } else {
        bus_call_refuse(call, FILE_FULL, host->record_path);
    }
}

static void finish(Host *host, RecordEnd end) {
    Record *record = g_steal_pointer(&host->record);
    host->record_end = end;
    g_free(host->record_path);
    host->record_path = g_strdup(record->path);
    g_clear_handle_id(&record->timer, g_source_remove);
    media_wav_destroy(record->wav);
    publish(host, record->path, FALSE);
    if (record->stopping != NULL && end != RECORD_END_ASKED) {
        refuse_ended(host, record->stopping);
    } else if (record->stopping != NULL) {
        JsonBuilder *builder = json_begin_object();
        json_put_text(builder, "path", record->path);
        json_put_int(builder, "seconds", (gint64)(record->written / RATE));
        json_builder_end_object(builder);
        bus_call_reply(record->stopping, json_built(builder));
    }
    g_free(record->path);
    g_free(record);
}

static gboolean write_samples(Host *host, const gint16 *samples, gsize count) {
    Record *record = host->record;
    g_autoptr(GError) error = NULL;
    gboolean full = record->written + count > SAMPLES_MAX;
    if (!full && media_wav_write(record->wav, samples, count, &error)) {
        record->written += count;
        return TRUE;
    }
    if (full) {
        notice_tell(host, FILE_FULL, record->path);
    } else {
        notice_tell(host, DISK_FULL, record->path);
    }
    media_record(host->media, FALSE);
    finish(host, full ? RECORD_END_FILE_FULL : RECORD_END_DISK_FULL);
    return FALSE;
}

/* Where samples are missing there is silence, as long as they were. */
static gboolean write_silence(Host *host, guint64 until) {
    static const gint16 silence[SILENCE_LENGTH];
    while (host->record->written < until) {
        gsize count = (gsize)MIN(until - host->record->written, SILENCE_LENGTH);
        if (!write_samples(host, silence, count)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The place in the file of the player's sample number `first`. */
static guint64 place_of(Record *record, guint32 first, gint64 now_us) {
    guint64 place_max = record->written + PAUSE_S_MAX * RATE;
    if (record->base + first < record->written) {
        /* It was started again: meanwhile nothing was played. */
        guint64 pause_us = (guint64)MAX(now_us - record->heard_us, 0);
        record->base = record->written + pause_us * RATE / G_USEC_PER_SEC;
    }
    if (record->base + first > place_max) {
        record->base = place_max - first;
    }
    return record->base + first;
}

void record_mix(Host *host, const MediaMix *mix) {
    Record *record = host->record;
    gint16 samples[MEDIA_MIX_BYTES_MAX / sizeof(gint16)];
    gsize count = mix->samples.length / sizeof(gint16);
    if (record == NULL) {
        return;
    }
    if (count == 0) {
        if (record->stopping != NULL) {
            finish(host, RECORD_END_ASKED);
        }
        return;
    }
    gint64 now_us = g_get_monotonic_time();
    guint64 since = (guint64)MAX(now_us - record->heard_us, 0) * RATE / G_USEC_PER_SEC;
    if (record->written == 0 && mix->first >= since + FIRST_MAX) {
        return; /* of the recording before this one */
    }
    guint64 place = place_of(record, mix->first, now_us);
    record->heard_us = now_us;
    for (gsize i = 0; i < count; i++) {
        samples[i] = (gint16)(mix->samples.data[2 * i] | mix->samples.data[2 * i + 1] << 8);
    }
    if (write_silence(host, place)) {
        write_samples(host, samples, count);
    }
}

void record_destroy(Host *host) {
    if (host->record != NULL) {
        finish(host, RECORD_END_ASKED);
    }
    g_clear_pointer(&host->record_path, g_free);
}

/* ---- the commands ---- */

static gboolean is_in_use(const char *path) {
    GStatBuf status;
    return g_stat(path, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_size > 0);
}

void host_handle_record(Host *host, BusCall *call) {
    const char *path = json_text(bus_call_arguments(call), "file", "");
    if (host->media == NULL) {
        bus_call_refuse(call, N_("this node runs without media"));
    } else if (host->record != NULL) {
        bus_call_refuse(call, N_("a recording goes on: %s (`maillon record stop` ends it)"),
                        host->record->path);
    } else if (is_in_use(path)) {
        bus_call_refuse(call, N_("%s is there already: name another file"), path);
    } else {
        g_autoptr(GError) error = NULL;
        MediaWav *wav = media_wav_create(path, FALSE, &error);
        if (wav == NULL) {
            bus_call_refuse(call, N_("%s cannot be written"), path);
            return;
        }
        host->record = g_new0(Record, 1);
        host->record->wav = wav;
        host->record->path = g_strdup(path);
        host->record_end = RECORD_END_ASKED;
        host->record->heard_us = g_get_monotonic_time();
        media_record(host->media, TRUE);
        publish(host, path, TRUE);
        JsonBuilder *builder = json_begin_object();
        json_put_text(builder, "path", path);
        json_builder_end_object(builder);
        bus_call_reply(call, json_built(builder));
    }
}

static gboolean silent(gpointer data) {
    Host *host = data;
    host->record->timer = 0;
    finish(host, RECORD_END_ASKED);
    return G_SOURCE_REMOVE;
}

void host_handle_record_stop(Host *host, BusCall *call) {
    Record *record = host->record;
    if (record == NULL && host->record_end != RECORD_END_ASKED) {
        refuse_ended(host, call);
        host->record_end = RECORD_END_ASKED;
        return;
    }
    if (record == NULL || record->stopping != NULL) {
        bus_call_refuse(call, N_("nothing is recorded"));
        return;
    }
    record->stopping = call;
    record->timer = g_timeout_add(media_plays(host->media) ? LAST_WORD_MS : 0, silent, host);
    media_record(host->media, FALSE);
}
