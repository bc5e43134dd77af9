/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/bus/json.h"
#include "node/cli/language.h"
#include "node/host/document.h"
#include "node/host/hands.h"
#include "node/host/joining.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/views.h"
#include "node/host/voice_message.h"
#include "node/host/ways.h"

JsonBuilder *notice_begin(Room *room) {
    char id[MATCH_TEXT_SIZE];
    match_text(mesh_info(room->mesh).id.bytes, id);
    JsonBuilder *builder = json_begin_object();
    json_put_text(builder, "meeting", id);
    json_put_flag(builder, "current", room == room_current(room->host));
    return builder;
}

/* After which message it stands: the common order may grow in the middle. "": it is the first. */
static void put_previous(JsonBuilder *builder, const Mesh *mesh, const MeshHash *hash) {
    char previous[MATCH_TEXT_SIZE] = "";
    MeshMessage message;
    size_t at = mesh_message_count(mesh);
    while (at > 0 && mesh_message(mesh, at - 1, &message) &&
           memcmp(message.id.bytes, hash->bytes, MESH_HASH_SIZE) != 0) {
        at--;
    }
    if (at > 1 && mesh_message(mesh, at - 2, &message)) {
        match_text(message.id.bytes, previous);
    }
    json_put_text(builder, "previous", previous);
}

static void put_member(JsonBuilder *builder, const Room *room, const MeshMember *member) {
    Queue queue;
    hands_queue(room, &queue);
    views_member(builder, member, hands_number(&queue, &member->key), VIEWS_EVENT);
}

/* The thing itself, under a name; FALSE when it is not there (any more). */
static gboolean put_thing(JsonBuilder *builder, Room *room, MeshNotice notice, const MeshHash *hash,
                          const MeshKey *key) {
    MeshMember member;
    MeshMessage message;
    MeshDocument document;
    MeshMotion motion;
    switch (notice) {
    case MESH_NOTICE_MEMBER:
    case MESH_NOTICE_FORK:
        json_builder_set_member_name(builder, "member");
        return match_member_key(room->mesh, key, &member) &&
               (put_member(builder, room, &member), TRUE);
    case MESH_NOTICE_PEER:
        json_builder_set_member_name(builder, "peer");
        return match_member_key(room->mesh, key, &member) &&
               (views_peer(builder, room, &member, VIEWS_EVENT), TRUE);
    case MESH_NOTICE_MESSAGE:
        put_previous(builder, room->mesh, hash);
        json_builder_set_member_name(builder, "message");
        return match_message_id(room->mesh, hash, &message) &&
               (views_message(builder, &message), TRUE);
    case MESH_NOTICE_DOCUMENT:
        json_builder_set_member_name(builder, "document");
        return match_document_id(room->mesh, hash, &document) &&
               (views_document(builder, &document), TRUE);
    case MESH_NOTICE_MOTION:
        json_builder_set_member_name(builder, "motion");
        return match_motion_id(room->mesh, hash, &motion) &&
               (views_motion(builder, room->mesh, &motion), TRUE);
    case MESH_NOTICE_HAND:
        json_builder_set_member_name(builder, "hands");
        hands_put(builder, room);
        return TRUE;
    case MESH_NOTICE_MEETING:
    case MESH_NOTICE_EXPELLED:
    case MESH_NOTICE_COPIED:
        json_builder_set_member_name(builder, "state");
        views_meeting(builder, room);
        return TRUE;
    case MESH_NOTICE_MAP:
        break; /* gathered: ways.h tells of it */
    }
    return FALSE;
}

static const char *event_name(MeshNotice notice) {
    static const char *const names[] = {
        [MESH_NOTICE_MEETING] = "meeting",   [MESH_NOTICE_MEMBER] = "member",
        [MESH_NOTICE_PEER] = "peer",         [MESH_NOTICE_MESSAGE] = "message",
        [MESH_NOTICE_DOCUMENT] = "document", [MESH_NOTICE_MOTION] = "motion",
        [MESH_NOTICE_HAND] = "hand",         [MESH_NOTICE_FORK] = "fork",
        [MESH_NOTICE_EXPELLED] = "expelled", [MESH_NOTICE_MAP] = "map",
        [MESH_NOTICE_COPIED] = "copied",
    };
    return names[notice];
}

static void tell_person(Room *room, MeshNotice notice, const MeshKey *key) {
    MeshMember member;
    const char *title = mesh_info(room->mesh).title;
    if (notice == MESH_NOTICE_EXPELLED && room->host->relay) {
        notice_tell(room->host, N_("this relay was expelled from its meeting"));
    } else if (notice == MESH_NOTICE_EXPELLED) {
        notice_tell(room->host, N_("you were expelled from the meeting “%s”"), title);
    } else if (notice == MESH_NOTICE_COPIED) {
        notice_tell(room->host, N_("this home was copied, and the copy runs too: the others reach "
                                   "now one, now the other. Stop one of the two"));
    } else if (notice == MESH_NOTICE_FORK && match_member_key(room->mesh, key, &member)) {
        notice_tell(room->host, N_("%s has signed entries that contradict each other"),
                    member.name); /* who signs has one, or had no part in the meeting */
    }
}

void notice_publish(Room *room, MeshNotice notice, const MeshHash *hash, const MeshKey *key) {
    Host *host = room->host;
    if (host->bus == NULL) {
        return; /* the meetings are being opened, or closed */
    }
    if (notice == MESH_NOTICE_DOCUMENT) {
        document_changed(room, hash);
    } else if (notice == MESH_NOTICE_MESSAGE) {
        voice_play_changed(room, hash);
    } else if (notice == MESH_NOTICE_MEETING) {
        joining_settle(room);
    } else if (notice == MESH_NOTICE_MAP || notice == MESH_NOTICE_PEER) {
        ways_changed(room);
    }
    tell_person(room, notice, key);
    if (!bus_is_heard(host->bus)) {
        return;
    }
    JsonBuilder *builder = notice_begin(room);
    if (put_thing(builder, room, notice, hash, key)) {
        bus_publish(host->bus, event_name(notice), builder);
    } else {
        g_object_unref(builder);
    }
}

void notice_line(Room *room, const MeshMember *member) {
    if (room->host->bus == NULL || !bus_is_heard(room->host->bus)) {
        return;
    }
    JsonBuilder *builder = notice_begin(room);
    json_builder_set_member_name(builder, "peer");
    views_peer(builder, room, member, VIEWS_EVENT);
    bus_publish(room->host->bus, "line", builder);
}

void notice_map(Room *room) {
    if (room->host->bus == NULL || !bus_is_heard(room->host->bus)) {
        return;
    }
    JsonBuilder *builder = notice_begin(room);
    json_builder_set_member_name(builder, "changes");
    ways_put_news(builder, room); /* whoever wants to see the map asks */
    bus_publish(room->host->bus, "map", builder);
}

void notice_current(Room *room) {
    static const MeshHash no_hash;
    static const MeshKey no_key;
    notice_publish(room, MESH_NOTICE_MEETING, &no_hash, &no_key);
}

void notice_tell_texts(Host *host, const MeshKey *about, char *texts[LANGUAGES]) {
    fprintf(stderr, "maillon: %s\n", texts[language_chosen()]);
    if (host->bus != NULL) {
        JsonBuilder *builder = json_begin_object();
        json_put_text(builder, "text", texts[language_chosen()]);
        naming_put_texts(builder, "texts", texts);
        if (about != NULL) {
            char id[MATCH_TEXT_SIZE];
            match_text(about->bytes, id);
            json_put_text(builder, "member", id);
        }
        bus_publish(host->bus, "notice", builder);
    }
    naming_free_texts(texts);
}

void notice_tell(Host *host, const char *format, ...) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        va_list arguments;
        va_start(arguments, format);
        texts[language] = g_strdup_vprintf(language_text_in(language, format), arguments);
        va_end(arguments);
    }
    notice_tell_texts(host, NULL, texts);
}
