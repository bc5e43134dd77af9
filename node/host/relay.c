/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/relay.h"

#include <string.h>

#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/leaving.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/settings.h"
#include "node/host/turn.h"

#define PATIENCE_S 30 /* without an answer; then it is said that there is none */

/* What a relay is asked by: all else is for people. */
static const char *const served[] = {
    "status",       "stats",         "peers",         "map",  "roster list",
    "meeting list", "meeting use",   "meeting leave", "join", "accept",
    "bandwidth",    "bundle export", "bundle import", NULL,
};

/* ---- its rooms ---- */

/* The one that is in the meeting, left or not; NULL. */
static Room *joined_room(Host *host) {
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room->state != ROOM_LEAVING && room_is_joined(room)) {
            return room;
        }
    }
    return NULL;
}

static gboolean is_joining(const Room *room) {
    return room->state == ROOM_OPEN && mesh_info(room->mesh).status == MESH_STATUS_JOINING;
}

static gboolean is_joining_elsewhere(const Room *room) {
    for (guint i = 0; i < room->host->rooms->len; i++) {
        const Room *other = g_ptr_array_index(room->host->rooms, i);
        if (other != room && is_joining(other)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- what is said ---- */

static void say_carries(const Room *room) {
    char id[MATCH_TEXT_SIZE];
    match_text(mesh_info(room->mesh).id.bytes, id);
    notice_tell(room->host, N_("carries for the meeting %.8s, and can read nothing of it"), id);
}

static void say_error(Host *host, MeshError error) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = g_strdup(language_text_in(language, mesh_error_text(error)));
    }
    notice_tell_texts(host, NULL, texts);
}

static gboolean out_of_patience(gpointer data) {
    Host *host = data;
    host->relay_timer = 0;
    notice_tell(host, N_("no member has answered yet: this relay goes on trying. Is the node of "
                         "whoever made the ticket running, and can it be reached from here? "
                         "Otherwise `maillon join TICKET --by-hand` in this home prints a code for "
                         "them"));
    return G_SOURCE_REMOVE;
}

/* ---- coming to the meeting ---- */

/* Not in the middle of a step: a setting commits whatever is open. */
static gboolean forget_ticket(gpointer data) {
    Host *host = data;
    g_autoptr(GError) error = NULL;
    host->relay_timer = 0;
    turn_end(host);
    if (!settings_set_text(host->store, SETTING_RELAY_TICKET, "", &error)) {
        notice_tell(host, N_("nothing can be recorded: %s"), error->message);
    }
    return G_SOURCE_REMOVE;
}

void relay_admitted(Room *room) {
    Host *host = room->host;
    if (!host->relay) {
        return;
    }
    g_clear_handle_id(&host->relay_timer, g_source_remove);
    host->relay_timer = g_idle_add(forget_ticket, host);
    host->relay_error = MESH_OK;
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *other = g_ptr_array_index(host->rooms, i);
        if (other != room && other->state != ROOM_LEAVING) {
            room_leave(other);
        }
    }
    room_use(room);
    if (host->relay_ready) {
        say_carries(room);
    }
}

static void joined(Room *room, const MeshEffect *effect, gpointer data) {
    Host *host = room->host;
    if (effect->done.error == MESH_OK) {
        relay_admitted(room);
    } else if (effect->done.error != MESH_ERROR_STATE) { /* the room is closed: nothing is wrong */
        room_leave(room);
        host->relay_error = effect->done.error;
        if (is_joining_elsewhere(room)) { /* by codes that people carry */
            say_error(host, effect->done.error);
        } else {
            g_main_loop_quit(host->loop);
        }
    }
}

static gboolean refuse(GError **error, const char *text) {
    g_set_error_literal(error, HOST_ERROR, HOST_ERROR_RELAY, language_text(text));
    return FALSE;
}

/* A room that joins by it from now on. */
static gboolean join(Host *host, const char *ticket, GError **error) {
    MeshIntent intent = {.kind = MESH_INTENT_JOIN, .text = ticket, .role = MESH_ROLE_RELAY};
    Room *room = room_add(host, error);
    if (room == NULL) {
        return FALSE;
    }
    room_intent(room, &intent, joined, NULL);
    if (host->relay_error != MESH_OK) {
        turn_end(host);
        return refuse(error, mesh_error_text(host->relay_error));
    }
    turn_end(host); /* a setting commits whatever is open */
    return settings_set_number(host->store, SETTING_RELAY, 1, error) &&
           settings_set_text(host->store, SETTING_RELAY_TICKET, ticket, error);
}

static void asked(Room *room, const MeshEffect *effect, gpointer data) {
    *(MeshError *)data = effect->done.error;
}

/* The room of its meeting knows whether a ticket is of it, and answers at once. */
static gboolean come_again(Room *room, const char *ticket, GError **error) {
    MeshIntent intent = {.kind = MESH_INTENT_JOIN, .text = ticket, .role = MESH_ROLE_RELAY};
    MeshError answer = MESH_OK;
    room_intent(room, &intent, asked, &answer);
    if (answer == MESH_ERROR_TICKET_MISTYPED || answer == MESH_ERROR_TICKET_VERSION) {
        return refuse(error, mesh_error_text(answer));
    }
    if (answer != MESH_ERROR_ALREADY_MEMBER) {
        return refuse(error, N_("this relay carries for another meeting already: give this one a "
                                "home of its own (`--home DIR`)"));
    }
    if (room->state == ROOM_AWAY) {
        leaving_return(room);
    }
    return TRUE;
}

/* What was asked for counts from now on. */
static gboolean keep_store(Host *host, GError **error) {
    return !host->store_told ||
           settings_set_size(host->store, SETTING_STORE_MAX, host->store_max, error);
}

static gboolean come(Host *host, const char *ticket, GError **error) {
    g_autofree char *before = NULL;
    Room *room = joined_room(host);
    if (room != NULL && mesh_info(room->mesh).status == MESH_STATUS_EXPELLED) {
        return refuse(error, N_("this relay was expelled from its meeting: only another one, in a "
                                "home of its own (`--home DIR`), comes in again"));
    }
    if (room != NULL) {
        return ticket == NULL || come_again(room, ticket, error);
    }
    if (!settings_text(host->store, SETTING_RELAY_TICKET, &before, error)) {
        return FALSE;
    }
    if (ticket != NULL || before != NULL) {
        return join(host, ticket != NULL ? ticket : before, error);
    }
    return refuse(error, N_("this home is a relay's, and in no meeting: `maillon start --relay "
                            "TICKET` with a ticket made by `invite --role relay`"));
}

gboolean relay_begin(Host *host, const char *ticket, GError **error) {
    return !host->relay || (come(host, ticket, error) && keep_store(host, error));
}

void relay_ready(Host *host) {
    Room *room = host->relay ? joined_room(host) : NULL;
    host->relay_ready = TRUE;
    if (room != NULL && room->state != ROOM_AWAY) {
        say_carries(room);
    } else if (host->relay && room == NULL) {
        host->relay_timer = g_timeout_add_seconds(PATIENCE_S, out_of_patience, host);
    }
}

void relay_destroy(Host *host) {
    g_clear_handle_id(&host->relay_timer, g_source_remove);
}

gboolean relay_load_store(Host *host, gint64 wanted, GError **error) {
    host->store_told = wanted != HOST_STORE_AS_BEFORE;
    if (host->store_told) {
        host->store_max = (guint64)wanted;
        return TRUE;
    }
    return settings_size(host->store, SETTING_STORE_MAX, &host->store_max, error);
}

gboolean relay_load(Host *host, const char *ticket, GError **error) {
    guint relay = 0;
    gboolean others = FALSE;
    if (!settings_number(host->store, SETTING_RELAY, &relay, error)) {
        return FALSE;
    }
    for (guint i = 0; i < host->rooms->len; i++) {
        const Room *room = g_ptr_array_index(host->rooms, i);
        relay |= room->state != ROOM_LEAVING && mesh_info(room->mesh).relay;
        others |= room->state != ROOM_LEAVING && !mesh_info(room->mesh).relay;
    }
    if (ticket != NULL && others) {
        return refuse(error, N_("this home takes part in meetings already: a relay, which takes "
                                "part in none, has a home of its own (`--home DIR`)"));
    }
    host->relay = relay != 0 || ticket != NULL;
    return TRUE;
}

/* ---- what it is asked ---- */

gboolean host_serves(Host *host, const Command *command, BusCall *call) {
    if (!host->relay) {
        return TRUE;
    }
    if (!g_strv_contains(served, command->words)) {
        room_refuse(call, MESH_ERROR_RELAY);
        return FALSE;
    }
    if (strcmp(command->words, "join") == 0 && joined_room(host) != NULL) {
        bus_call_refuse(call, N_("this relay carries for a meeting already: another one takes a "
                                 "home of its own (`--home DIR`)"));
        return FALSE;
    }
    return TRUE;
}
