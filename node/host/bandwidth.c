/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/bandwidth.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/settings.h"
#include "node/host/turn.h"

#define BPS_PER_KBIT 1000

/* Of more others than the first, a source sends to no more than the second: the rest pass it on. */
#define ALL_MOST      8
#define CHILDREN_MOST 4

/* As the command has them; the index is a MediaSave. */
static const char *const levels[] = {"all", "slides", "voice"};

static guint level_of(const char *name) {
    guint level = 0;
    while (level < G_N_ELEMENTS(levels) && strcmp(levels[level], name) != 0) {
        level++;
    }
    g_assert(level < G_N_ELEMENTS(levels)); /* the table of commands admits no other */
    return level;
}

gboolean bandwidth_load(Host *host, GError **error) {
    if (!settings_number(host->store, SETTING_SAVE, &host->save, error) ||
        !settings_number(host->store, SETTING_CEILING, &host->ceiling_kbit, error)) {
        return FALSE;
    }
    host->save = MIN(host->save, G_N_ELEMENTS(levels) - 1);
    return TRUE;
}

void bandwidth_tell_media(Host *host) {
    media_save(host->media, (MediaSave)host->save);
}

static void told(Room *room, const MeshEffect *effect, gpointer data) {
}

void bandwidth_tell_room(Room *room) {
    MeshIntent intent = {.kind = MESH_INTENT_CEILING,
                         .size = (guint64)room->host->ceiling_kbit * BPS_PER_KBIT};
    room_intent(room, &intent, told, NULL);
}

guint bandwidth_share_bps(Room *room) {
    guint others = 0, linked = 0;
    MeshMember member;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        gboolean up = !member.self && member.state == MESH_LINK_UP;
        others += up;
        linked += up && member.linked;
    }
    guint lines = others > ALL_MOST ? MIN(linked, CHILDREN_MOST) : linked;
    guint64 ceiling_bps = (guint64)room->host->ceiling_kbit * BPS_PER_KBIT;
    return (guint)MIN(ceiling_bps / MAX(lines, 1), G_MAXUINT);
}

static gboolean remember(Host *host, GError **error) {
    turn_end(host); /* what is open is not a part of this */
    return settings_set_number(host->store, SETTING_SAVE, host->save, error) &&
           settings_set_number(host->store, SETTING_CEILING, host->ceiling_kbit, error);
}

static JsonBuilder *begin(Host *host) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "level", levels[host->save]);
    json_put_int(builder, "max_kbit", host->ceiling_kbit);
    return builder;
}

static void answer(Host *host, BusCall *call) {
    JsonBuilder *builder = begin(host);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_bandwidth(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    guint save = level_of(json_text(arguments, "level", levels[host->save]));
    guint ceiling_kbit = (guint)json_int(arguments, "max", host->ceiling_kbit);
    g_autoptr(GError) error = NULL;
    if (save != host->save || ceiling_kbit != host->ceiling_kbit) {
        host->save = save;
        host->ceiling_kbit = ceiling_kbit;
        bandwidth_tell_media(host);
        for (guint i = 0; i < host->rooms->len; i++) {
            bandwidth_tell_room(g_ptr_array_index(host->rooms, i));
        }
        if (!remember(host, &error)) {
            bus_call_refuse(call, N_("nothing can be recorded: %s"), error->message);
            return;
        }
        bus_publish(host->bus, "bandwidth", begin(host));
    }
    answer(host, call);
}
