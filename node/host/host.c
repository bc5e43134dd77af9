/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/host.h"

#include <glib-unix.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/bandwidth.h"
#include "node/host/devices.h"
#include "node/host/document.h"
#include "node/host/lines.h"
#include "node/host/notice.h"
#include "node/host/offer.h"
#include "node/host/pictures.h"
#include "node/host/record.h"
#include "node/host/relay.h"
#include "node/host/serving.h"
#include "node/host/settings.h"
#include "node/host/sources.h"
#include "node/host/speakers.h"
#include "node/host/speech.h"
#include "node/host/turn.h"
#include "node/host/views.h"
#include "node/host/voice_message.h"

G_DEFINE_QUARK(maillon - host - error, host_error)

/* ---- what the network tells ---- */

/* Only the Mesh that a datagram of the knock port is for can tell: each is asked in turn. */
static void on_datagram(gpointer user, guint owner, const MeshPath *path, Bytes bytes) {
    Host *host = user;
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if ((owner != 0 && room->number != owner) || !room_is_awake(room)) {
            continue;
        }
        MeshEvent event = {
            .kind = MESH_EVENT_DATAGRAM,
            .datagram = {.path = *path, .bytes = bytes.data, .length = bytes.length}};
        if (room_step(room, &event) != MESH_ERROR_FOREIGN) {
            return;
        }
    }
}

static void on_addresses(gpointer user, const MeshPath *paths, gsize count, gboolean woke) {
    Host *host = user;
    g_array_set_size(host->addresses, 0);
    g_array_append_vals(host->addresses, paths, (guint)count);
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room_is_awake(room)) {
            room_addresses(room, woke);
        }
    }
}

static void on_ice_offer(gpointer user, guint owner, guint32 agent, Bytes offer) {
    Room *room = room_find(user, owner);
    if (room != NULL) {
        MeshEvent event = {.kind = MESH_EVENT_ICE_OFFER, .ice = {.agent = agent, .offer = offer}};
        room_step(room, &event);
    }
}

static void on_ice_state(gpointer user, guint owner, guint32 agent, gboolean up) {
    Room *room = room_find(user, owner);
    if (room != NULL) {
        MeshEvent event = {.kind = up ? MESH_EVENT_ICE_UP : MESH_EVENT_ICE_DOWN,
                           .ice.agent = agent};
        room_step(room, &event);
    }
}

/* ---- what the media helper tells ---- */

static void on_frame(gpointer user, const MediaFrame *frame) {
    sources_frame(user, frame);
}

static void on_source_ended(gpointer user, MediaKind kind, const char *reason) {
    sources_ended(user, kind, reason);
}

static void on_media_notice(gpointer user, const char *text) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = g_strdup(language_text_in(language, text));
    }
    notice_tell_texts(user, NULL, texts);
}

/* Nobody is to act on it: it is no notice. */
static void on_media_began(gpointer user, const char *text) {
    fprintf(stderr, "maillon: %s\n", text);
}

static void on_keyframe(gpointer user, guint32 stream) {
    speakers_keyframe(user, stream);
}

static void on_mix(gpointer user, const MediaMix *mix) {
    record_mix(user, mix);
}

static void on_loudness(gpointer user, const MediaLoudness *loudness) {
    devices_loudness(user, loudness);
}

/* ---- beginning ---- */

static gboolean open_settings(Host *host, const HostOptions *options, GError **error) {
    if (!settings_seed(host->store, host->seed, error) || !bandwidth_load(host, error) ||
        !devices_load(host, error) || !relay_load_store(host, options->store_max, error) ||
        !settings_number(host->store, SETTING_CURRENT, &host->current, error)) {
        return FALSE;
    }
    host->current_stored = host->current;
    host->key = mesh_key_of_seed(host->seed);
    host->name = settings_name(host->store, options->name, error);
    return host->name != NULL;
}

static gboolean open_net(Host *host, const HostOptions *options, GError **error) {
    NetHandler handler = {on_datagram, on_addresses, on_ice_offer, on_ice_state, host};
    guint before = 0;
    if (!settings_number(host->store, SETTING_PORT, &before, error)) {
        return FALSE;
    }
    gboolean fixed = options->port != 0;
    guint16 port = fixed ? options->port : (guint16)before;
    host->net = net_create(port, fixed, options->stun, handler, error);
    return host->net != NULL &&
           (net_port(host->net) == before ||
            settings_set_number(host->store, SETTING_PORT, net_port(host->net), error));
}

static void open_media(Host *host, const char *home, const HostOptions *options) {
    MediaHandler handler = {.frame = on_frame,
                            .ended = on_source_ended,
                            .notice = on_media_notice,
                            .began = on_media_began,
                            .user = host,
                            .keyframe = on_keyframe,
                            .mix = on_mix,
                            .loudness = on_loudness};
    host->windowed = strcmp(options->video_sink, "auto") == 0;
    host->card = strcmp(options->sink, "auto") == 0;
    host->media =
        media_create(home, devices_output(host, options->sink), options->video_sink, handler);
    bandwidth_tell_media(host);
}

static gboolean begin(Host *host, const char *home, const HostOptions *options, GError **error) {
    host->store = store_open(home, options->passphrase, error);
    if (host->store == NULL || !open_settings(host, options, error) ||
        !open_net(host, options, error)) {
        return FALSE;
    }
    if (store_is_unlocked(host->store)) {
        notice_tell(host, N_("this home is not locked: whoever copies it reads the meetings "
                             "(`--passphrase-file` locks it)"));
    }
    if (!room_load_all(host, error) || !relay_load(host, options->relay, error)) {
        return FALSE;
    }
    if (options->sink != NULL && !host->relay) {
        open_media(host, home, options);
    }
    host->bus = bus_create(home, host, error);
    return host->bus != NULL && relay_begin(host, options->relay, error) &&
           (!options->page || host->relay || serving_open(host, error));
}

static gboolean on_signal(gpointer data) {
    g_main_loop_quit(((Host *)data)->loop);
    return G_SOURCE_CONTINUE;
}

Host *host_create(const char *home, const HostOptions *options, GError **error) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    Host *host = g_new0(Host, 1);
    host->fetch_max = options->fetch_max;
    host->loop = g_main_loop_new(NULL, FALSE);
    host->rooms = g_ptr_array_new();
    host->addresses = g_array_new(FALSE, FALSE, sizeof(MeshPath));
    host->intents = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    turn_create(host);
    speakers_create(host);
    pictures_create(host);
    speech_create(host);
    lines_create(host);
    document_add_create(host);
    document_get_create(host);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        host->signals[i] = g_unix_signal_add(signals[i], on_signal, host);
    }
    if (!begin(host, home, options, error)) {
        host_destroy(host);
        return NULL;
    }
    return host;
}

char *host_page_address(const Host *host) {
    return host->page != NULL ? page_address(host->page) : NULL;
}

gboolean host_run(Host *host, GError **error) {
    relay_ready(host);
    g_main_loop_run(host->loop);
    if (host->relay_error == MESH_OK) {
        return TRUE;
    }
    g_set_error_literal(error, HOST_ERROR, HOST_ERROR_RELAY,
                        language_text(mesh_error_text(host->relay_error)));
    return FALSE;
}

/* ---- ending ---- */

void host_destroy(Host *host) {
    if (host == NULL) {
        return;
    }
    g_clear_pointer(&host->page, page_destroy);
    relay_destroy(host);
    voice_record_destroy(host);
    voice_play_stop(host);
    devices_destroy(host);
    sources_destroy(host);
    record_destroy(host);
    if (host->bus != NULL) {
        turn_end(host); /* what was asked before the end is recorded and answered */
    }
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room_is_awake(room)) {
            room_tell(room, MESH_EVENT_LEAVE);
        }
    }
    while (host->rooms->len > 0) {
        room_close(g_ptr_array_index(host->rooms, host->rooms->len - 1));
    }
    document_add_destroy(host);
    document_get_destroy(host);
    media_destroy(host->media);
    bus_destroy(host->bus);
    net_destroy(host->net);
    store_close(host->store);
    turn_destroy(host);
    speakers_destroy(host);
    pictures_destroy(host);
    speech_destroy(host);
    lines_destroy(host);
    offer_destroy(host);
    for (guint i = 0; i < G_N_ELEMENTS(host->signals); i++) {
        g_clear_handle_id(&host->signals[i], g_source_remove);
    }
    g_hash_table_unref(host->intents);
    g_array_unref(host->addresses);
    g_ptr_array_unref(host->rooms);
    g_main_loop_unref(host->loop);
    g_free(host->name);
    sodium_memzero(host->seed, sizeof host->seed);
    g_free(host);
}
