/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/hands.h"

#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/handlers.h"
#include "node/host/match.h"

void hands_queue(const Room *room, Queue *ret_queue) {
    ret_queue->count = room != NULL ? mesh_hands(room->mesh, ret_queue->keys) : 0;
}

guint hands_number(const Queue *queue, const MeshKey *member) {
    for (size_t i = 0; i < queue->count; i++) {
        if (memcmp(queue->keys[i].bytes, member->bytes, MESH_KEY_SIZE) == 0) {
            return (guint)i + 1;
        }
    }
    return 0;
}

void hands_put(JsonBuilder *builder, const Room *room) {
    Queue queue;
    MeshMember member;
    hands_queue(room, &queue);
    json_builder_begin_array(builder);
    for (guint i = 0; i < queue.count; i++) {
        char id[MATCH_TEXT_SIZE];
        if (!match_member_key(room->mesh, &queue.keys[i], &member)) {
            continue;
        }
        match_text(member.key.bytes, id);
        json_builder_begin_object(builder);
        json_put_int(builder, "number", i + 1);
        json_put_text(builder, "id", id);
        json_put_text(builder, "name", member.name);
        json_put_flag(builder, "self", member.self);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

/* ---- the commands ---- */

static void answer(Room *room, BusCall *call) {
    JsonBuilder *builder = json_builder_new_immutable();
    hands_put(builder, room);
    bus_call_reply(call, json_built(builder));
}

static void moved(Room *room, const MeshEffect *effect, gpointer data) {
    switch (effect->done.error) {
    case MESH_OK:
        answer(room, data);
        return;
    case MESH_ERROR_FULL:
        bus_call_refuse(data, N_("the hand went up and down too often: wait a few seconds"));
        return;
    default:
        room_refuse(data, effect->done.error);
    }
}

static void move(Host *host, BusCall *call, gboolean up) {
    const char *wanted = json_text(bus_call_arguments(call), "member", NULL);
    Room *room = room_of_call(host, call);
    MeshIntent intent = {.kind = MESH_INTENT_HAND, .up = up};
    MeshMember member;
    if (room == NULL || (wanted != NULL && !match_member(room, call, wanted, &member))) {
        return;
    }
    if (wanted != NULL && !member.self && mesh_info(room->mesh).own_role != MESH_ROLE_FOUNDER) {
        bus_call_refuse(call, N_("only the chair lowers another's hand"));
        return;
    }
    if (wanted != NULL) {
        intent.key = member.key;
    }
    room_intent(room, &intent, moved, call);
}

void host_handle_hand_up(Host *host, BusCall *call) {
    move(host, call, TRUE);
}

void host_handle_hand_down(Host *host, BusCall *call) {
    move(host, call, FALSE);
}

void host_handle_hand_list(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        answer(room, call);
    }
}
