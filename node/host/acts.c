/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/leaving.h"
#include "node/host/match.h"
#include "node/host/notice.h"
#include "node/host/turn.h"

#define INVITE_USES    1
#define INVITE_VALID_S (24 * 60 * 60)

/* ---- how an act is answered; `data` is its call ---- */

static void answer_nothing(Room *room, const MeshEffect *effect, gpointer data) {
    if (effect->done.error != MESH_OK) {
        room_refuse(data, effect->done.error);
        return;
    }
    bus_call_reply(data, NULL);
}

static void answer_text(const MeshEffect *effect, BusCall *call, const char *name,
                        const char *text) {
    if (effect->done.error != MESH_OK) {
        room_refuse(call, effect->done.error);
        return;
    }
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, name, text);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}

static void answer_id(Room *room, const MeshEffect *effect, gpointer data) {
    char id[MATCH_TEXT_SIZE];
    match_text(effect->done.hash.bytes, id);
    answer_text(effect, data, "id", id);
}

static void answer_ticket(Room *room, const MeshEffect *effect, gpointer data) {
    answer_text(effect, data, "ticket", effect->done.text);
}

/* ---- the meeting ---- */

void host_handle_meeting_use(Host *host, BusCall *call) {
    Room *room = match_meeting(host, call, json_text(bus_call_arguments(call), "id", ""));
    if (room == NULL) {
        return;
    }
    guint number = room->number;
    if (room->state == ROOM_AWAY) {
        leaving_return(room);
    }
    room_use(room);
    turn_end(host); /* remembered before it is answered; the room may be gone after it */
    room = room_find(host, number);
    if (room == NULL) {
        room_refuse(call, MESH_ERROR_STATE);
        return;
    }
    notice_current(room);
    bus_call_reply(call, NULL);
}

static MeshRole role_of(const char *name) {
    static const char *const names[] = {"member", "guest", "observer", "relay"};
    guint role = 0;
    while (strcmp(names[role], name) != 0) {
        role++; /* the table of commands lets only these through */
    }
    return (MeshRole)(MESH_ROLE_MEMBER + role);
}

void host_handle_invite(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
        MeshIntent intent = {.kind = MESH_INTENT_INVITE,
                             .role = role_of(json_text(arguments, "role", "member")),
                             .uses = (guint32)json_int(arguments, "uses", INVITE_USES),
                             .expires_at =
                                 (guint64)(now_s + json_int(arguments, "valid", INVITE_VALID_S))};
        room_intent(room, &intent, answer_ticket, call);
    }
}

void host_handle_invite_revoke(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        MeshIntent intent = {.kind = MESH_INTENT_EXPEL};
        room_intent(room, &intent, answer_nothing, call);
    }
}

void host_handle_roster_expel(Host *host, BusCall *call) {
    const char *wanted = json_text(bus_call_arguments(call), "id", "");
    Room *room = room_of_call(host, call);
    MeshMember member;
    if (room != NULL && match_member(room, call, wanted, &member)) {
        MeshIntent intent = {.kind = MESH_INTENT_EXPEL, .key = member.key};
        room_intent(room, &intent, answer_nothing, call);
    }
}

void host_handle_say(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        MeshIntent intent = {.kind = MESH_INTENT_SAY,
                             .text = json_text(bus_call_arguments(call), "text", "")};
        room_intent(room, &intent, answer_id, call);
    }
}

/* ---- motions ---- */

/* The choices, stripped, or NULL with the call refused. The caller frees. */
static char **read_choices(BusCall *call, const char *text) {
    g_auto(GStrv) choices = g_strsplit(text, ",", -1);
    guint count = g_strv_length(choices);
    if (count < 2 || count > MESH_CHOICES_MAX) {
        bus_call_refuse(call, N_("a motion has 2 to %d choices, separated by commas"),
                        MESH_CHOICES_MAX);
        return NULL;
    }
    for (guint i = 0; i < count; i++) {
        g_strstrip(choices[i]);
        if (choices[i][0] == '\0' || strlen(choices[i]) > MESH_CHOICE_MAX) {
            bus_call_refuse(call, N_("a choice has 1 to %d bytes of text"), MESH_CHOICE_MAX);
            return NULL;
        }
        for (guint j = 0; j < i; j++) {
            if (strcmp(choices[i], choices[j]) == 0) {
                bus_call_refuse(call, N_("the choice %s is given twice"), choices[i]);
                return NULL;
            }
        }
    }
    return g_steal_pointer(&choices);
}

void host_handle_motion_open(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    const char *text = json_text(bus_call_arguments(call), "choices", NULL);
    g_auto(GStrv) choices = NULL;
    if (text != NULL && (choices = read_choices(call, text)) == NULL) {
        return;
    }
    MeshIntent intent = {.kind = MESH_INTENT_MOTION_OPEN,
                         .text = json_text(bus_call_arguments(call), "text", ""),
                         .choices = (const char *const *)choices};
    room_intent(room, &intent, answer_id, call);
}

void host_handle_motion_close(Host *host, BusCall *call) {
    const char *wanted = json_text(bus_call_arguments(call), "id", "");
    Room *room = room_of_call(host, call);
    MeshMotion motion;
    if (room == NULL || !match_motion(room, call, wanted, &motion)) {
        return;
    }
    MeshKey own = mesh_info(room->mesh).own_key;
    if (mesh_info(room->mesh).own_role != MESH_ROLE_FOUNDER &&
        memcmp(motion.author.bytes, own.bytes, MESH_KEY_SIZE) != 0) {
        bus_call_refuse(call, N_("only the founder, or who opened the motion, closes it"));
        return;
    }
    MeshIntent intent = {.kind = MESH_INTENT_MOTION_CLOSE, .hash = motion.id};
    room_intent(room, &intent, answer_nothing, call);
}

static gboolean is_choice(const MeshMotion *motion, const char *choice) {
    for (size_t i = 0; i < motion->choice_count; i++) {
        if (strcmp(motion->choices[i], choice) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

void host_handle_vote(Host *host, BusCall *call) {
    JsonObject *arguments = bus_call_arguments(call);
    const char *choice = json_text(arguments, "choice", "");
    Room *room = room_of_call(host, call);
    MeshMotion motion;
    if (room == NULL || !match_motion(room, call, json_text(arguments, "id", ""), &motion)) {
        return;
    }
    if (motion.state != MESH_MOTION_OPEN) {
        room_refuse(call, MESH_ERROR_CLOSED);
        return;
    }
    if (!is_choice(&motion, choice)) {
        g_autoptr(GString) all = g_string_new(NULL);
        for (size_t i = 0; i < motion.choice_count; i++) {
            g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", motion.choices[i]);
        }
        bus_call_refuse(call, N_("%s is no choice of this motion: %s"), choice, all->str);
        return;
    }
    MeshIntent intent = {.kind = MESH_INTENT_VOTE, .hash = motion.id, .choice = choice};
    room_intent(room, &intent, answer_nothing, call);
}
