/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/turn.h"

#include "node/cli/language.h"
#include "node/host/document.h"
#include "node/host/leaving.h"
#include "node/host/notice.h"
#include "node/host/settings.h"

/* After a failure, so that a full disk is not tried again without a pause. */
#define PAUSE_US (250 * 1000)

void turn_schedule(Host *host) {
    gint64 pause_us = host->turns_failed > 0 ? PAUSE_US : 0;
    if (g_source_get_ready_time(host->turn_source) < 0) {
        g_source_set_ready_time(host->turn_source, g_get_monotonic_time() + pause_us);
    }
}

static void fail(Host *host, const GError *error) {
    host->turn = TURN_FAILED;
    if (host->turns_failed == 0) {
        notice_tell(host, N_("nothing can be recorded: %s"), error->message);
    }
}

void turn_put(Room *room, guint64 token, const MeshItem *item) {
    Host *host = room->host;
    g_autoptr(GError) error = NULL;
    room->token = token;
    turn_schedule(host);
    if (host->turn == TURN_FAILED) {
        return; /* it may rest on what is already lost */
    }
    host->turn = TURN_OPEN;
    if (!store_put(host->store, room->number, item, &error)) {
        fail(host, error);
    }
}

void turn_forget(Room *room, const MeshItem *item) {
    Host *host = room->host;
    g_autoptr(GError) error = NULL;
    turn_schedule(host);
    if (host->turn == TURN_FAILED) {
        return;
    }
    host->turn = TURN_OPEN;
    if (!store_forget(host->store, room->number, item, &error)) {
        fail(host, error);
    }
}

static void commit(Host *host) {
    g_autoptr(GError) error = NULL;
    if (host->turn == TURN_OPEN && !store_commit(host->store, &error)) {
        fail(host, error);
    }
    host->turns_failed = host->turn == TURN_FAILED ? host->turns_failed + 1 : 0;
}

/* Only while nothing is open: a setting is committed with whatever else there is. */
static void remember_current(Host *host) {
    g_autoptr(GError) error = NULL;
    if (host->turn == TURN_QUIET && host->current != host->current_stored) {
        host->current_stored = host->current;
        if (!settings_set_number(host->store, SETTING_CURRENT, host->current, &error)) {
            notice_tell(host, N_("nothing can be recorded: %s"), error->message);
        }
    }
}

/* Tokens are taken before any Mesh is stepped: what it puts then belongs to the next turn. */
static void tell_rooms(Host *host, MeshEventKind kind) {
    guint count = host->rooms->len;
    g_autofree guint64 *tokens = g_new0(guint64, count);
    for (guint i = 0; i < count; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        tokens[i] = room->token;
        room->token = 0;
    }
    for (guint i = 0; i < count; i++) {
        if (tokens[i] != 0) {
            MeshEvent event = {.kind = kind, .stored.token = tokens[i]};
            room_step(g_ptr_array_index(host->rooms, i), &event);
        }
    }
}

static void forget_left(Host *host) {
    for (guint i = host->rooms->len; i-- > 0;) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room->state != ROOM_LEAVING) {
            continue;
        }
        guint number = room->number;
        room_close(room);
        g_autoptr(GError) error = NULL;
        if (!store_meeting_remove(host->store, number, &error) ||
            !store_commit(host->store, &error)) {
            /* At the next start it is found neither created nor joined, and forgotten then. */
            notice_tell(host, N_("nothing can be recorded: %s"), error->message);
        }
    }
}

void turn_end(Host *host) {
    g_source_set_ready_time(host->turn_source, -1);
    commit(host);
    TurnState ended = host->turn;
    host->turn = TURN_QUIET;
    remember_current(host);
    tell_rooms(host, ended == TURN_FAILED ? MESH_EVENT_STORE_FAILED : MESH_EVENT_STORED);
    forget_left(host);
    leaving_settle(host);
    document_turn_ended(host);
}

static gboolean turn_due(gpointer data) {
    turn_end(data);
    return G_SOURCE_CONTINUE;
}

static gboolean turn_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
    return callback(data);
}

static GSourceFuncs turn_functions = {.dispatch = turn_dispatch};

void turn_create(Host *host) {
    host->turn_source = g_source_new(&turn_functions, sizeof(GSource));
    g_source_set_callback(host->turn_source, turn_due, host, NULL);
    g_source_attach(host->turn_source, NULL);
}

void turn_destroy(Host *host) {
    if (host->turn_source != NULL) {
        g_source_destroy(host->turn_source);
        g_clear_pointer(&host->turn_source, g_source_unref);
    }
}
