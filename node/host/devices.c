/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/devices.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/pictures.h"
#include "node/host/settings.h"
#include "node/host/turn.h"
#include "node/host/voice_message.h"

#define LOOK_MS 1000

/* Unless told otherwise. */
#define SECONDS 10

/* What is tried leaves by no line: the encoders do as on a good one. */
#define LOCAL_BPS 4000000

static const char *const settings[] = {SETTING_MICROPHONE, SETTING_CAMERA, SETTING_SPEAKER};

/* ---- what was chosen ---- */

gboolean devices_load(Host *host, GError **error) {
    for (guint i = 0; i < DEVICE_CHOICES; i++) {
        if (!settings_text(host->store, settings[i], &host->devices[i], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static const char *chosen(const Host *host, DeviceChoice choice) {
    return host->devices[choice] != NULL ? host->devices[choice] : "auto";
}

const char *devices_source(Host *host, MediaKind kind, const char *words) {
    if (strcmp(words, "auto") != 0 || kind == MEDIA_KIND_SCREEN) {
        return words;
    }
    return chosen(host, kind == MEDIA_KIND_VOICE ? DEVICE_MICROPHONE : DEVICE_CAMERA);
}

const char *devices_output(Host *host, const char *sink) {
    return strcmp(sink, "auto") == 0 ? chosen(host, DEVICE_SPEAKER) : sink;
}

/* An empty word leaves it as it is. */
static gboolean choose(Host *host, DeviceChoice choice, const char *words, GError **error) {
    if (words[0] == '\0') {
        return TRUE;
    }
    turn_end(host); /* a setting commits whatever is open */
    if (!settings_set_text(host->store, settings[choice], words, error)) {
        return FALSE;
    }
    g_free(host->devices[choice]);
    host->devices[choice] = g_strdup(words);
    if (choice == DEVICE_SPEAKER && host->card) {
        media_output(host->media, words);
    }
    return TRUE;
}

/* ---- a trial ---- */

static gboolean is_busy(const Host *host) {
    return host->trials[MEDIA_KIND_VOICE].call != NULL ||
           host->trials[MEDIA_KIND_VIDEO].call != NULL;
}

static void answer(const Trial *trial, BusCall *call) {
    JsonBuilder *builder = json_begin_object();
    if (trial->metered) {
        json_put_int(builder, "rms_db", -(gint64)trial->loudest.rms);
        json_put_int(builder, "peak_db", -(gint64)trial->loudest.peak);
    }
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

/* `reason`: why it could not be tried; NULL: it was. */
static void end(Host *host, MediaKind kind, const char *reason) {
    Trial trial = host->trials[kind];
    host->trials[kind] = (Trial){0};
    if (trial.call == NULL) {
        return;
    }
    if (!trial.live) {
        media_source_stop(host->media, kind);
    }
    if (trial.heard != 0) {
        media_stream_close(host->media, trial.heard);
    }
    if (kind == MEDIA_KIND_VOICE) {
        media_meter(host->media, FALSE);
    } else if (!trial.live) {
        pictures_end(host, &host->key, MESH_STREAM_VIDEO);
    }
    if (reason != NULL) {
        bus_call_refuse_text(trial.call, reason);
    } else {
        answer(&trial, trial.call);
    }
}

/* Sources that are on are told of the line there is. */
static void tell_line(Host *host) {
    if (host->uplink_timer == 0) {
        media_uplink(host->media, &(MediaUplink){.rate_bps = LOCAL_BPS});
    }
}

static gboolean look(gpointer data) {
    Host *host = data;
    gint64 now_us = g_get_monotonic_time();
    tell_line(host);
    for (MediaKind kind = MEDIA_KIND_VOICE; kind <= MEDIA_KIND_VIDEO; kind++) {
        const Trial *trial = &host->trials[kind];
        if (trial->call != NULL &&
            (now_us >= trial->until_us || !bus_call_is_awaited(trial->call))) {
            end(host, kind, NULL);
        }
    }
    host->trials_timer = is_busy(host) ? host->trials_timer : 0;
    return host->trials_timer != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void keep_looking(Host *host) {
    if (host->trials_timer == 0) {
        host->trials_timer = g_timeout_add(LOOK_MS, look, host);
        tell_line(host);
    }
}

void devices_destroy(Host *host) {
    for (MediaKind kind = MEDIA_KIND_VOICE; kind <= MEDIA_KIND_VIDEO; kind++) {
        end(host, kind, N_("the node is ending"));
    }
    g_clear_handle_id(&host->trials_timer, g_source_remove);
    for (guint i = 0; i < DEVICE_CHOICES; i++) {
        g_clear_pointer(&host->devices[i], g_free);
    }
}

void devices_make_way(Host *host, MediaKind kind) {
    if (kind <= MEDIA_KIND_VIDEO && !host->trials[kind].live) {
        end(host, kind, NULL);
    }
}

gboolean devices_frame(Host *host, const MediaFrame *frame) {
    const Trial *trial = frame->kind <= MEDIA_KIND_VIDEO ? &host->trials[frame->kind] : NULL;
    if (trial == NULL || trial->call == NULL || trial->live) {
        return FALSE;
    }
    if (frame->kind == MEDIA_KIND_VIDEO) {
        pictures_show(host, &host->key, trial->number, frame);
    } else if (trial->heard != 0) {
        media_stream_frame(host->media, trial->heard, frame);
    }
    return TRUE;
}

gboolean devices_ended(Host *host, MediaKind kind, const char *reason) {
    if (kind > MEDIA_KIND_VIDEO || host->trials[kind].call == NULL || host->trials[kind].live) {
        return FALSE;
    }
    end(host, kind, reason);
    return TRUE;
}

void devices_loudness(Host *host, const MediaLoudness *loudness) {
    Trial *trial = &host->trials[MEDIA_KIND_VOICE];
    if (trial->call == NULL || !trial->metered) {
        return;
    }
    trial->loudest.rms = MIN(trial->loudest.rms, loudness->rms);
    trial->loudest.peak = MIN(trial->loudest.peak, loudness->peak);
    bus_call_meter(trial->call, -(gint)loudness->rms, -(gint)loudness->peak);
}

typedef struct {
    Host *host;
    MediaKind kind;
    guint32 number;
} Asked;

static void started(gpointer data, const GError *error) {
    g_autofree Asked *asked = data;
    const Trial *trial = &asked->host->trials[asked->kind];
    if (error != NULL && trial->call != NULL && trial->number == asked->number) {
        end(asked->host, asked->kind, error->message);
    }
}

static void begin(Host *host, MediaKind kind, Trial trial, const char *words) {
    end(host, kind, NULL); /* the one before, of another page perhaps */
    trial.number = ++host->stream;
    trial.loudest = (MediaLoudness){MEDIA_LEVEL_SILENCE, MEDIA_LEVEL_SILENCE};
    host->trials[kind] = trial;
    if (trial.metered) {
        media_meter(host->media, TRUE);
    }
    if (trial.heard != 0) {
        media_stream_open(host->media, trial.heard, MEDIA_KIND_VOICE);
    }
    keep_looking(host);
    if (!trial.live) {
        Asked *asked = g_new(Asked, 1);
        *asked = (Asked){host, kind, trial.number};
        media_source_start(host->media, kind, words, started, asked);
    }
}

/* ---- the commands ---- */

void host_handle_devices_test(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    const char *what = json_text(arguments, "what", "");
    gboolean speaker = strcmp(what, "speaker") == 0;
    gboolean hear = speaker || json_flag(arguments, "hear");
    MediaKind kind = strcmp(what, "cam") == 0 ? MEDIA_KIND_VIDEO : MEDIA_KIND_VOICE;
    const char *words = speaker ? "test" : json_text(arguments, "source", "auto");
    Trial trial = {.call = call,
                   .live = host->sources[kind].state != SOURCE_OFF,
                   .metered = kind == MEDIA_KIND_VOICE && !speaker};
    trial.until_us =
        g_get_monotonic_time() + json_int(arguments, "seconds", SECONDS) * (gint64)G_USEC_PER_SEC;
    if (host->media == NULL) {
        bus_call_refuse_text(call, N_("this node runs without media"));
    } else if (kind == MEDIA_KIND_VOICE && voice_record_runs(host)) {
        bus_call_refuse_text(call,
                             N_("a voice message is being recorded: `maillon voice stop` ends it"));
    } else if (trial.live && kind == MEDIA_KIND_VOICE && hear) {
        bus_call_refuse_text(call, N_("the microphone is on: switch it off to hear this"));
    } else {
        trial.heard = kind == MEDIA_KIND_VOICE && hear ? ++host->stream : 0;
        begin(host, kind, trial, devices_source(host, kind, words));
    }
}

void host_handle_devices_stop(Host *host, BusCall *call) {
    const char *what = json_text(bus_call_arguments(call), "what", "");
    if (strcmp(what, "cam") != 0) {
        end(host, MEDIA_KIND_VOICE, NULL);
    }
    if (strcmp(what, "cam") == 0 || what[0] == '\0') {
        end(host, MEDIA_KIND_VIDEO, NULL);
    }
    bus_call_reply(call, NULL);
}

void host_handle_devices_use(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    static const char *const names[] = {"mic", "cam", "speaker"};
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < DEVICE_CHOICES; i++) {
        if (!choose(host, (DeviceChoice)i, json_text(arguments, names[i], ""), &error)) {
            bus_call_refuse(call, N_("nothing can be recorded: %s"), error->message);
            return;
        }
    }
    bus_call_reply(call, NULL);
}

static void put_list(JsonBuilder *builder, const char *name, const GPtrArray *list,
                     MediaRole role) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
    for (guint i = 0; i < list->len; i++) {
        const MediaNamed *named = g_ptr_array_index(list, i);
        if (named->role == role) {
            json_builder_begin_object(builder);
            json_put_text(builder, "source", named->source);
            json_put_text(builder, "name", named->name);
            json_builder_end_object(builder);
        }
    }
    json_builder_end_array(builder);
}

typedef struct {
    Host *host;
    BusCall *call;
} Listing;

static void listed(gpointer data, const GPtrArray *list, const GError *error) {
    g_autofree Listing *listing = data;
    const Host *host = listing->host;
    if (error != NULL) {
        bus_call_refuse_text(listing->call, error->message);
        return;
    }
    JsonBuilder *builder = json_begin_object();
    put_list(builder, "microphones", list, MEDIA_ROLE_MICROPHONE);
    put_list(builder, "cameras", list, MEDIA_ROLE_CAMERA);
    put_list(builder, "speakers", list, MEDIA_ROLE_SPEAKER);
    json_put_text(builder, "mic", chosen(host, DEVICE_MICROPHONE));
    json_put_text(builder, "cam", chosen(host, DEVICE_CAMERA));
    json_put_text(builder, "speaker", chosen(host, DEVICE_SPEAKER));
    json_put_flag(builder, "echo_cancelled", media_cancels_echo(host->media));
    json_builder_end_object(builder);
    bus_call_reply(listing->call, json_built(builder));
}

void host_handle_devices(Host *host, BusCall *call) {
    Listing *listing = g_new(Listing, 1);
    *listing = (Listing){host, call};
    media_devices(host->media, listed, listing);
}
