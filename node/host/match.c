/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/match.h"

#include <sodium.h>
#include <string.h>

#include "node/cli/language.h"
#include "node/host/naming.h"

void match_text(const guint8 id[MESH_HASH_SIZE], char ret_text[MATCH_TEXT_SIZE]) {
    sodium_bin2hex(ret_text, MATCH_TEXT_SIZE, id, MESH_HASH_SIZE);
}

static gboolean begins(const guint8 id[MESH_HASH_SIZE], const char *wanted) {
    char text[MATCH_TEXT_SIZE];
    match_text(id, text);
    return wanted[0] != '\0' && g_ascii_strncasecmp(text, wanted, strlen(wanted)) == 0;
}

/* One was found, or the call is refused: `unknown` says that there is none. */
static gboolean judge(BusCall *call, guint found, const char *unknown, const char *wanted) {
    if (found == 1) {
        return TRUE;
    }
    if (found == 0) {
        bus_call_refuse(call, "%s: %s", unknown, wanted); /* spoken within the call */
    } else {
        bus_call_refuse(call, N_("%s is the beginning of several ids: give more of it"), wanted);
    }
    return FALSE;
}

Room *match_meeting(Host *host, BusCall *call, const char *wanted) {
    Room *match = NULL;
    guint found = 0;
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        gboolean there = room->state == ROOM_OPEN || room->state == ROOM_AWAY;
        if (there && room_is_joined(room) && begins(mesh_info(room->mesh).id.bytes, wanted)) {
            match = room;
            found++;
        }
    }
    return judge(call, found, _("no such meeting"), wanted) ? match : NULL;
}

gboolean match_member(Room *room, BusCall *call, const char *wanted, MeshMember *ret_member) {
    MeshMember member;
    guint found = 0;
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        if (begins(member.key.bytes, wanted) ||
            strcmp(naming_member(bus_call_language(call), &member), wanted) == 0) {
            *ret_member = member;
            found++;
        }
    }
    if (found > 1) {
        bus_call_refuse(call, N_("several members are meant by %s: give an id"), wanted);
        return FALSE;
    }
    return judge(call, found, _("no such member"), wanted);
}

gboolean match_document(Room *room, BusCall *call, const char *wanted, MeshDocument *ret_document) {
    MeshDocument document;
    guint found = 0;
    for (size_t i = 0; mesh_document(room->mesh, i, &document); i++) {
        if (begins(document.id.bytes, wanted)) {
            *ret_document = document;
            found++;
        }
    }
    return judge(call, found, _("no such document"), wanted);
}

gboolean match_voice(Room *room, BusCall *call, const char *wanted, MeshMessage *ret_message) {
    MeshMessage message;
    guint found = 0;
    for (size_t i = 0; mesh_message(room->mesh, i, &message); i++) {
        if (message.voice_parts > 0 && begins(message.id.bytes, wanted)) {
            *ret_message = message;
            found++;
        }
    }
    return judge(call, found, _("no such voice message"), wanted);
}

gboolean match_motion(Room *room, BusCall *call, const char *wanted, MeshMotion *ret_motion) {
    MeshMotion motion;
    guint found = 0;
    for (size_t i = 0; mesh_motion(room->mesh, i, &motion); i++) {
        if (begins(motion.id.bytes, wanted)) {
            *ret_motion = motion;
            found++;
        }
    }
    return judge(call, found, _("no such motion"), wanted);
}

gboolean match_document_id(const Mesh *mesh, const MeshHash *id, MeshDocument *ret_document) {
    for (size_t i = 0; mesh_document(mesh, i, ret_document); i++) {
        if (memcmp(ret_document->id.bytes, id->bytes, MESH_HASH_SIZE) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean match_motion_id(const Mesh *mesh, const MeshHash *id, MeshMotion *ret_motion) {
    for (size_t i = 0; mesh_motion(mesh, i, ret_motion); i++) {
        if (memcmp(ret_motion->id.bytes, id->bytes, MESH_HASH_SIZE) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean match_message_id(const Mesh *mesh, const MeshHash *id, MeshMessage *ret_message) {
    /* Asked of new ones mostly, which are at the end. */
    for (size_t i = mesh_message_count(mesh); i-- > 0;) {
        if (mesh_message(mesh, i, ret_message) &&
            memcmp(ret_message->id.bytes, id->bytes, MESH_HASH_SIZE) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean match_member_key(const Mesh *mesh, const MeshKey *key, MeshMember *ret_member) {
    for (size_t i = 0; mesh_member(mesh, i, ret_member); i++) {
        if (memcmp(ret_member->key.bytes, key->bytes, MESH_KEY_SIZE) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}
