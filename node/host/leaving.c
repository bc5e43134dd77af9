/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/leaving.h"

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/settings.h"
#include "node/host/sources.h"
#include "node/host/turn.h"
#include "node/host/voice_message.h"

static char *setting_name(guint number) {
    return g_strdup_printf(SETTING_LEFT "-%u", number);
}

gboolean leaving_load(Host *host, guint number, gboolean *ret_away, GError **error) {
    g_autofree char *name = setting_name(number);
    guint left = 0;
    if (!settings_number(host->store, name, &left, error)) {
        return FALSE;
    }
    *ret_away = left != 0;
    return TRUE;
}

static void remember(Host *host, guint number, gboolean away) {
    g_autofree char *name = setting_name(number);
    g_autoptr(GError) error = NULL;
    if (!settings_set_number(host->store, name, away, &error)) {
        notice_tell(host, N_("nothing can be recorded: %s"), error->message);
    }
}

void leaving_return(Room *room) {
    room->state = ROOM_RETURNING;
    room_use(room);
}

/* What its Mesh knew of links is forgotten with it: it is read anew, and then kept silent. */
static void go(Host *host, guint number) {
    g_autoptr(GError) error = NULL;
    remember(host, number, TRUE);
    if (!room_load(host, number, &error)) {
        notice_tell(host, N_("something recorded cannot be read: %s"), error->message);
    }
}

static void come_back(Room *room) {
    remember(room->host, room->number, FALSE);
    room->state = ROOM_OPEN;
    room_addresses(room, TRUE);
}

void leaving_settle(Host *host) {
    for (guint i = host->rooms->len; i-- > 0;) {
        Room *room = g_ptr_array_index(host->rooms, i);
        guint number = room->number;
        if (room->state == ROOM_GOING) {
            room_close(room);
            go(host, number);
        } else if (room->state == ROOM_RETURNING) {
            come_back(room);
        }
    }
}

/* ---- the command ---- */

static void publish(Host *host, const char *id, gboolean forgotten) {
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "meeting", id);
    json_put_flag(builder, "forgotten", forgotten);
    bus_publish(host->bus, "left", builder);
}

void host_handle_meeting_leave(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    const char *wanted = json_text(arguments, "id", NULL);
    gboolean forget = json_flag(arguments, "forget");
    Room *room = wanted != NULL ? match_meeting(host, call, wanted) : room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    if (room->state == ROOM_AWAY && !forget) {
        bus_call_refuse(call, N_("this meeting was left already"));
        return;
    }
    char id[MATCH_TEXT_SIZE];
    match_text(mesh_info(room->mesh).id.bytes, id);
    voice_record_room_left(room);
    voice_play_room_left(room);
    sources_room_left(room);
    if (room_is_awake(room)) {
        room_tell(room, MESH_EVENT_LEAVE); /* while it may still send */
    }
    if (forget) {
        remember(host, room->number, FALSE);
        room_leave(room);
    } else {
        room->state = ROOM_GOING;
    }
    turn_end(host);
    publish(host, id, forget);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "id", id);
    json_put_flag(builder, "forgotten", forget);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}
