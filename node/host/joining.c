/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/joining.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/leaving.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/relay.h"
#include "node/host/turn.h"

#define WAIT_S 30
/* Joinings by hand begun and not ended; the oldest makes room for one more. */
#define BY_HAND_MAX 4

/* A room on its way into a meeting, until its intent ends. */
typedef struct {
    BusCall *call; /* NULL once answered */
    Room *room;
    guint timer;
    gboolean by_hand;
    gboolean waited_for; /* of accept: a room asked waits for an answer */
} Joining;

static void answer_meeting(BusCall *call, Room *room) {
    MeshInfo info = mesh_info(room->mesh);
    char id[MATCH_TEXT_SIZE];
    match_text(info.id.bytes, id);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "id", id);
    json_put_text(builder, "title", info.title);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

static gboolean there_is_room(Host *host, BusCall *call) {
    if (host->rooms->len < HOST_ROOMS_MAX) {
        return TRUE;
    }
    bus_call_refuse(call, N_("this node is in %d meetings already"), HOST_ROOMS_MAX);
    return FALSE;
}

/* A new room, or NULL with the call refused. */
static Room *add_room(Host *host, BusCall *call) {
    g_autoptr(GError) error = NULL;
    Room *room = there_is_room(host, call) ? room_add(host, &error) : NULL;
    if (error != NULL) {
        bus_call_refuse(call, N_("nothing can be recorded: %s"), error->message);
    }
    return room;
}

/* ---- create ---- */

static void created(Room *room, const MeshEffect *effect, gpointer data) {
    if (effect->done.error != MESH_OK) {
        room_leave(room);
        room_refuse(data, effect->done.error);
        return;
    }
    room_use(room);
    answer_meeting(data, room);
    notice_current(room);
}

void host_handle_meeting_create(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    Room *room = add_room(host, call);
    if (room != NULL) {
        MeshIntent intent = {.kind = MESH_INTENT_CREATE,
                             .text = json_text(arguments, "title", ""),
                             .profile = json_text(arguments, "profile", "meeting")};
        room_intent(room, &intent, created, call);
    }
}

/* ---- join ---- */

/* Another room of the same meeting, NULL when there is none. */
static Room *twin(const Room *room) {
    MeshHash id = mesh_info(room->mesh).id;
    for (guint i = 0; i < room->host->rooms->len; i++) {
        Room *other = g_ptr_array_index(room->host->rooms, i);
        MeshHash other_id = mesh_info(other->mesh).id;
        if (other != room && other->state == ROOM_OPEN && room_is_joined(other) &&
            memcmp(other_id.bytes, id.bytes, MESH_HASH_SIZE) == 0) {
            return other;
        }
    }
    return NULL;
}

/* Of two rooms of one meeting one is left: the other, when it was expelled, else this one. */
void joining_settle(Room *room) {
    Room *other = mesh_info(room->mesh).status == MESH_STATUS_MEMBER ? twin(room) : NULL;
    if (other != NULL) {
        gboolean expelled = mesh_info(other->mesh).status == MESH_STATUS_EXPELLED;
        room_leave(expelled ? other : room);
    }
}

/* The room is a member now: it is used, unless the meeting was here already. */
static void admitted(Room *room, BusCall *call) {
    joining_settle(room);
    if (room->state == ROOM_LEAVING) {
        if (call != NULL) {
            room_refuse(call, MESH_ERROR_ALREADY_MEMBER);
        }
        return;
    }
    room_use(room);
    relay_admitted(room);
    if (call != NULL) {
        answer_meeting(call, room);
    }
    notice_current(room);
}

static BusCall *joining_answerable(Joining *joining) {
    g_clear_handle_id(&joining->timer, g_source_remove);
    return g_steal_pointer(&joining->call);
}

static void joined(Room *room, const MeshEffect *effect, gpointer data) {
    Joining *joining = data;
    BusCall *call = joining_answerable(joining);
    gboolean by_hand = joining->by_hand;
    g_free(joining);
    if (effect->done.error != MESH_OK) {
        room_leave(room);
        if (call != NULL) {
            room_refuse(call, effect->done.error);
        }
    } else if (!by_hand) {
        admitted(room, call);
    } else if (call != NULL) {
        JsonBuilder *builder = json_begin_object();
        json_put_text(builder, "code", effect->done.text);
        json_builder_end_object(builder);
        bus_call_reply(call, json_built(builder));
    }
}

static gboolean join_waited(gpointer data) {
    Joining *joining = data;
    joining->timer = 0;
    room_refuse(g_steal_pointer(&joining->call), MESH_ERROR_UNREACHABLE);
    room_leave(joining->room);
    return G_SOURCE_REMOVE;
}

static Joining *joining_begin(Room *room, BusCall *call, GSourceFunc waited) {
    gint64 wait_s = json_int(bus_call_arguments(call), "wait", WAIT_S);
    Joining *joining = g_new0(Joining, 1);
    joining->call = call;
    joining->room = room;
    joining->timer = g_timeout_add((guint)MIN(wait_s, G_MAXUINT / 1000) * 1000, waited, joining);
    return joining;
}

static void drop_oldest_by_hand(Host *host) {
    Room *oldest = NULL;
    guint count = 0;
    for (guint i = host->rooms->len; i-- > 0;) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room->state == ROOM_OPEN && mesh_info(room->mesh).status == MESH_STATUS_JOINING) {
            oldest = room;
            count++;
        }
    }
    if (count >= BY_HAND_MAX) {
        room_leave(oldest);
    }
}

static void join_begin(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    gboolean by_hand = json_flag(arguments, "by-hand");
    if (by_hand) {
        drop_oldest_by_hand(host);
    }
    Room *room = add_room(host, call);
    if (room != NULL) {
        MeshIntent intent = {.kind = MESH_INTENT_JOIN,
                             .text = json_text(arguments, "ticket", ""),
                             .role = host->relay ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER,
                             .by_hand = by_hand};
        Joining *joining = joining_begin(room, call, join_waited);
        joining->by_hand = by_hand;
        room_intent(room, &intent, joined, joining);
    }
}

/* ---- accept: the room waits since `join --by-hand`, perhaps since before a restart, or is in
 * already, by a line that was found meanwhile ---- */

static void accepted(Room *room, const MeshEffect *effect, gpointer data);

static gboolean accept_waited(gpointer data) {
    Joining *joining = data;
    joining->timer = 0;
    /* The room stays: another code may come, or the link after all. */
    bus_call_refuse(g_steal_pointer(&joining->call),
                    N_("the answer is right, but its member is not reached yet: this node goes on "
                       "trying, and so does theirs for ten minutes"));
    return G_SOURCE_REMOVE;
}

/* The newest room that is older than `before`, to which the code may belong. */
static Room *room_for_code(Host *host, guint before) {
    for (guint i = host->rooms->len; i-- > 0;) {
        Room *room = g_ptr_array_index(host->rooms, i);
        MeshStatus status = mesh_info(room->mesh).status;
        if (room->number < before && room->state == ROOM_OPEN &&
            (status == MESH_STATUS_JOINING || status == MESH_STATUS_MEMBER)) {
            return room;
        }
    }
    return NULL;
}

static void accept_in(Room *room, Joining *joining) {
    MeshIntent intent = {.kind = MESH_INTENT_ACCEPT,
                         .text = json_text(bus_call_arguments(joining->call), "code", "")};
    joining->room = room;
    room_intent(room, &intent, accepted, joining);
}

static void accept_refuse(BusCall *call, MeshError error, gboolean waited_for) {
    if (!waited_for) {
        bus_call_refuse(call, N_("no joining by hand has begun here"));
    } else if (error == MESH_ERROR_UNKNOWN || error == MESH_ERROR_STATE) {
        bus_call_refuse(
            call, N_("this is the answer to another code: the code of this node was made anew, "
                     "or the answer is for someone else"));
    } else {
        room_refuse(call, error);
    }
}

static void accepted(Room *room, const MeshEffect *effect, gpointer data) {
    Joining *joining = data;
    MeshError error = effect->done.error;
    if (error == MESH_OK) {
        BusCall *call = joining_answerable(joining);
        g_free(joining);
        admitted(room, call);
        return;
    }
    joining->waited_for |= error != MESH_ERROR_STATE; /* so says who gave no code away */
    Room *next = joining->call != NULL && error != MESH_ERROR_TICKET_MISTYPED
                     ? room_for_code(room->host, room->number)
                     : NULL;
    if (next != NULL) {
        accept_in(next, joining);
        return;
    }
    gboolean waited_for = joining->waited_for;
    BusCall *call = joining_answerable(joining);
    g_free(joining);
    if (call != NULL) {
        accept_refuse(call, error, waited_for);
    }
}

void host_handle_accept(Host *host, BusCall *call) {
    Room *room = room_for_code(host, G_MAXUINT);
    if (room == NULL) {
        accept_refuse(call, MESH_ERROR_STATE, FALSE);
        return;
    }
    accept_in(room, joining_begin(room, call, accept_waited));
}

/* ---- the meetings are asked in turn: only a member can tell what a code or a ticket is for ----
 */

typedef struct {
    Host *host;
    BusCall *call;
    MeshIntentKind kind; /* ANSWER, or JOIN: is it the ticket of a meeting held already? */
    GArray *left;        /* numbers of the rooms to ask; the last is the next */
} Asking;

static void asking_free(Asking *asking) {
    g_array_unref(asking->left);
    g_free(asking);
}

/* Nobody knows the ticket. Not in the middle of a step, where no room may be added. */
static gboolean ask_ended(gpointer data) {
    Asking *asking = data;
    join_begin(asking->host, asking->call);
    asking_free(asking);
    return G_SOURCE_REMOVE;
}

static void ask_next(Asking *asking, MeshError error);

/* One that was left only answers whether a ticket is of its meeting. */
static Room *room_to_ask(const Asking *asking, guint number) {
    for (guint i = 0; i < asking->host->rooms->len; i++) {
        Room *room = g_ptr_array_index(asking->host->rooms, i);
        gboolean asks = room->state == ROOM_OPEN ||
                        (room->state == ROOM_AWAY && asking->kind == MESH_INTENT_JOIN);
        if (room->number == number && asks) {
            return room;
        }
    }
    return NULL;
}

static void asked(Room *room, const MeshEffect *effect, gpointer data) {
    Asking *asking = data;
    if (effect->done.error == MESH_ERROR_ALREADY_MEMBER && room->state == ROOM_AWAY) {
        leaving_return(room);
        answer_meeting(asking->call, room);
        asking_free(asking);
        return;
    }
    if (effect->done.error != MESH_OK) {
        ask_next(asking, effect->done.error);
        return;
    }
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "code", effect->done.text);
    json_builder_end_object(builder);
    bus_call_reply(asking->call, json_built(builder));
    asking_free(asking);
}

static void ask_next(Asking *asking, MeshError error) {
    gboolean final = error == MESH_ERROR_TICKET_MISTYPED || error == MESH_ERROR_TICKET_VERSION ||
                     error == MESH_ERROR_ALREADY_MEMBER;
    const char *name = asking->kind == MESH_INTENT_JOIN ? "ticket" : "code";
    Room *room = NULL;
    while (room == NULL && asking->left->len > 0 && !final) {
        guint last = asking->left->len - 1;
        room = room_to_ask(asking, g_array_index(asking->left, guint, last));
        g_array_set_size(asking->left, last);
    }
    if (room != NULL) {
        MeshIntent intent = {.kind = asking->kind,
                             .text = json_text(bus_call_arguments(asking->call), name, "")};
        room_intent(room, &intent, asked, asking);
    } else if (asking->kind == MESH_INTENT_JOIN && !final) {
        g_idle_add_full(G_PRIORITY_DEFAULT, ask_ended, asking, NULL);
    } else {
        room_refuse(asking->call, error);
        asking_free(asking);
    }
}

/* The current meeting first. */
static void ask(Host *host, BusCall *call, MeshIntentKind kind) {
    Room *current = room_current(host);
    Asking *asking = g_new0(Asking, 1);
    *asking = (Asking){host, call, kind, g_array_new(FALSE, FALSE, sizeof(guint))};
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        if (room != current && mesh_info(room->mesh).status == MESH_STATUS_MEMBER) {
            g_array_append_val(asking->left, room->number);
        }
    }
    if (current != NULL) {
        g_array_append_val(asking->left, current->number);
    }
    ask_next(asking, MESH_ERROR_UNKNOWN);
}

void host_handle_join(Host *host, BusCall *call) {
    ask(host, call, MESH_INTENT_JOIN);
}

void host_handle_answer(Host *host, BusCall *call) {
    if (room_of_call(host, call) != NULL) {
        ask(host, call, MESH_INTENT_ANSWER);
    }
}
