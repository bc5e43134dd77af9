/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/views.h"

#include "node/bus/json.h"
#include "node/host/handlers.h"
#include "node/host/hands.h"
#include "node/host/lines.h"
#include "node/host/match.h"
#include "node/host/naming.h"
#include "node/host/offer.h"
#include "node/host/record.h"
#include "node/host/rungs.h"
#include "node/host/speakers.h"
#include "node/host/way.h"
#include "node/host/ways.h"

#define MILLION      1000000.0
#define MS_PER_YEARS 253402300799000ull /* the last one of the year 9999 */

static void put_id(JsonBuilder *builder, const char *name, const guint8 id[MESH_HASH_SIZE]) {
    char text[MATCH_TEXT_SIZE];
    match_text(id, text);
    json_put_text(builder, name, text);
}

void views_meeting(JsonBuilder *builder, Room *room) {
    MeshInfo info = mesh_info(room->mesh);
    json_builder_begin_object(builder);
    put_id(builder, "id", info.id.bytes);
    json_put_text(builder, "title", info.title);
    json_put_int(builder, "members", (gint64)info.members);
    json_put_int(builder, "epoch", info.epoch);
    json_put_flag(builder, "current", room == room_current(room->host));
    json_put_text(builder, "profile", info.profile);
    json_put_text(builder, "role", naming_role(info.own_role));
    json_put_flag(builder, "copied", info.copied);
    json_put_text(builder, "state",
                  info.status == MESH_STATUS_EXPELLED ? "expelled"
                  : room_is_awake(room)               ? "member"
                                                      : "left");
    json_builder_end_object(builder);
}

static Language spoken_in(Language language) {
    return language == VIEWS_EVENT ? language_chosen() : language;
}

static void put_name(JsonBuilder *builder, const MeshMember *member, Language language) {
    json_put_text(builder, "name", naming_member(spoken_in(language), member));
    if (language == VIEWS_EVENT && member->name[0] == '\0') {
        char *texts[LANGUAGES];
        for (Language each = 0; each < LANGUAGES; each++) {
            texts[each] = (char *)naming_member(each, member);
        }
        naming_put_texts(builder, "names", texts);
    }
}

void views_member(JsonBuilder *builder, const MeshMember *member, guint hand, Language language) {
    json_builder_begin_object(builder);
    put_id(builder, "id", member->key.bytes);
    put_name(builder, member, language);
    json_put_text(builder, "role", naming_role(member->role));
    json_put_flag(builder, "self", member->self);
    json_put_flag(builder, "expelled", member->expelled);
    json_put_flag(builder, "forked", member->forked);
    json_put_int(builder, "hand", hand);
    json_builder_end_object(builder);
}

static void put_quality(JsonBuilder *builder, const MeshMember *member) {
    json_put_int(builder, "rtt_ms", (member->rtt_us + 500) / 1000);
    json_put_real(builder, "loss", MIN(member->loss_ppm / MILLION, 1.0));
    json_put_int(builder, "rate_bps", member->rate_bps);
    json_put_int(builder, "queue_ms", member->queue_us / 1000);
    json_put_int(builder, "line_queue_ms", member->line_queue_us / 1000);
    json_put_flag(builder, "measured", member->linked && member->rtt_us != 0);
}

static void put_reasons(JsonBuilder *builder, const LineView *view) {
    char *texts[LANGUAGES];
    for (Language language = 0; language < LANGUAGES; language++) {
        texts[language] = line_sentence(language, view);
    }
    naming_put_texts(builder, "reasons", texts);
    naming_free_texts(texts);
}

/* Why there is no direct link, as far as there is none. */
static MeshEnd ended(const Room *room, const MeshMember *member) {
    gboolean direct = member->linked && member->path.kind != MESH_PATH_RELAY;
    return direct ? MESH_END_NONE : ways_end(room, &member->key);
}

/* What a person is told of the line. */
static void put_line(JsonBuilder *builder, Room *room, const MeshMember *member,
                     Language language) {
    LineView view = lines_view(room, member);
    g_autofree char *sentence = line_sentence(spoken_in(language), &view);
    json_put_text(builder, "state", line_state_name(member->state));
    json_put_text(builder, "line", line_line_name(member->line_state));
    json_put_text(builder, "reason", sentence);
    if (language == VIEWS_EVENT && sentence != NULL) {
        put_reasons(builder, &view);
    }
    json_put_text(builder, "ended", way_end_name(ended(room, member)));
    json_put_int(builder, "silent_ms", view.known ? (gint64)view.silent_ms : -1);
}

void views_peer(JsonBuilder *builder, Room *room, const MeshMember *member, Language language) {
    gboolean up = member->state == MESH_LINK_UP;
    gboolean relayed = up && member->path.kind == MESH_PATH_RELAY;
    json_builder_begin_object(builder);
    put_id(builder, "id", member->key.bytes);
    put_name(builder, member, language);
    json_put_text(builder, "role", naming_role(member->role));
    json_put_text(builder, "path", !up ? "" : relayed ? "relayed" : "direct");
    if (relayed) {
        put_id(builder, "via", member->via.bytes);
    } else {
        json_put_text(builder, "via", "");
    }
    json_put_flag(builder, "neighbour", up && !relayed);
    json_put_int(builder, "hops", up ? member->hops : 0);
    put_quality(builder, member);
    put_line(builder, room, member, language);
    json_builder_set_member_name(builder, "unconfirmed");
    if (member->confirms) {
        json_builder_add_int_value(builder, (gint64)member->unconfirmed);
    } else {
        json_builder_add_null_value(builder);
    }
    json_builder_end_object(builder);
}

void views_message(JsonBuilder *builder, const MeshMessage *message) {
    guint64 sent_ms = MIN(message->sent_at_ms, MS_PER_YEARS);
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc((gint64)(sent_ms / 1000));
    g_autoptr(GDateTime) sent = g_date_time_add(second, (gint64)(sent_ms % 1000) * 1000);
    g_autofree char *text = g_date_time_format_iso8601(sent);
    json_builder_begin_object(builder);
    put_id(builder, "id", message->id.bytes);
    put_id(builder, "author", message->author.bytes);
    json_put_text(builder, "name", message->name);
    json_put_text(builder, "text", message->text);
    json_put_text(builder, "sent_at", text);
    if (message->voice_parts > 0) {
        json_put_begin(builder, "voice");
        json_put_int(builder, "duration_ms", message->voice_ms);
        json_put_int(builder, "parts", message->voice_parts);
        json_put_flag(builder, "whole", message->voice_whole);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
}

void views_document(JsonBuilder *builder, const MeshDocument *document) {
    json_builder_begin_object(builder);
    put_id(builder, "id", document->id.bytes);
    put_id(builder, "author", document->author.bytes);
    json_put_text(builder, "name", document->name);
    json_put_int(builder, "size", (gint64)document->size);
    json_put_int(builder, "have", (gint64)document->have);
    json_builder_end_object(builder);
}

/* Who may vote, and who did. How each voted is told once the vote is closed: before, it would sway
 * the others. */
static void put_voters(JsonBuilder *builder, const Mesh *mesh, const MeshMotion *motion) {
    MeshVoter voters[MESH_MEMBERS_MAX];
    size_t count = mesh_motion_voters(mesh, &motion->id, voters);
    json_builder_set_member_name(builder, "voters");
    json_builder_begin_array(builder);
    for (size_t i = 0; i < count; i++) {
        json_builder_begin_object(builder);
        put_id(builder, "id", voters[i].key.bytes);
        json_put_text(builder, "name", voters[i].name);
        json_put_flag(builder, "voted", voters[i].choice[0] != '\0');
        json_put_text(builder, "choice",
                      motion->state == MESH_MOTION_CLOSED ? voters[i].choice : "");
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_motion(JsonBuilder *builder, const Mesh *mesh, const MeshMotion *motion,
                       gboolean own) {
    static const char *const states[] = {"open", "closed", "void"};
    json_builder_begin_object(builder);
    put_id(builder, "id", motion->id.bytes);
    put_id(builder, "author", motion->author.bytes);
    json_put_text(builder, "text", motion->text);
    json_put_text(builder, "state", states[motion->state]);
    json_put_int(builder, "counted", motion->counted);
    json_put_begin(builder, "tally");
    for (size_t i = 0; i < motion->choice_count; i++) {
        json_put_int(builder, motion->choices[i], motion->tally[i]);
    }
    json_builder_end_object(builder);
    json_put_text(builder, "outcome", motion->outcome);
    if (own) {
        json_put_text(builder, "own_vote", motion->own_vote);
    }
    put_voters(builder, mesh, motion);
    json_builder_end_object(builder);
}

void views_motion(JsonBuilder *builder, const Mesh *mesh, const MeshMotion *motion) {
    put_motion(builder, mesh, motion, TRUE);
}

/* ---- answers ---- */

static void put_peers(JsonBuilder *builder, Room *room, Language language) {
    MeshMember member;
    json_builder_begin_array(builder);
    for (size_t i = 0; room != NULL && mesh_member(room->mesh, i, &member); i++) {
        if (!member.self && !member.expelled) {
            views_peer(builder, room, &member, language);
        }
    }
    json_builder_end_array(builder);
}

static void put_meetings(JsonBuilder *builder, Host *host, gboolean left_too) {
    json_builder_begin_array(builder);
    for (guint i = 0; i < host->rooms->len; i++) {
        Room *room = g_ptr_array_index(host->rooms, i);
        gboolean shown = room->state == ROOM_OPEN || (left_too && room->state == ROOM_AWAY);
        if (shown && room_is_joined(room)) {
            views_meeting(builder, room);
        }
    }
    json_builder_end_array(builder);
}

JsonNode *views_status(Host *host, Language language) {
    JsonBuilder *builder = json_begin_object();
    put_id(builder, "id", host->key.bytes);
    json_put_text(builder, "name", host->name);
    json_put_flag(builder, "locked", !store_is_unlocked(host->store));
    json_put_text(builder, "recording", record_path(host));
    if (host->relay) {
        json_put_int(builder, "store_max",
                     (gint64)(host->store_max > 0 ? host->store_max : MESH_STORE_MAX));
    }
    json_builder_set_member_name(builder, "meetings");
    put_meetings(builder, host, FALSE);
    json_builder_set_member_name(builder, "hands");
    hands_put(builder, room_current(host));
    json_builder_set_member_name(builder, "peers");
    put_peers(builder, room_current(host), language);
    offer_put(host, room_current(host), builder, language);
    json_builder_end_object(builder);
    return json_built(builder);
}

void host_handle_status(Host *host, BusCall *call) {
    bus_call_reply(call, views_status(host, bus_call_language(call)));
}

void host_handle_peers(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room != NULL) {
        JsonBuilder *builder = json_builder_new_immutable();
        put_peers(builder, room, bus_call_language(call));
        bus_call_reply(call, json_built(builder));
    }
}

void host_handle_meeting_list(Host *host, BusCall *call) {
    JsonBuilder *builder = json_builder_new_immutable();
    put_meetings(builder, host, TRUE);
    bus_call_reply(call, json_built(builder));
}

void host_handle_roster_list(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_array();
    Queue queue;
    MeshMember member;
    hands_queue(room, &queue);
    for (size_t i = 0; mesh_member(room->mesh, i, &member); i++) {
        views_member(builder, &member, hands_number(&queue, &member.key), bus_call_language(call));
    }
    json_builder_end_array(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_messages(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_array();
    MeshMessage message;
    for (size_t i = 0; mesh_message(room->mesh, i, &message); i++) {
        views_message(builder, &message);
    }
    json_builder_end_array(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_doc_list(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_array();
    MeshDocument document;
    for (size_t i = 0; mesh_document(room->mesh, i, &document); i++) {
        views_document(builder, &document);
    }
    json_builder_end_array(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_motion_list(Host *host, BusCall *call) {
    Room *room = room_of_call(host, call);
    if (room == NULL) {
        return;
    }
    JsonBuilder *builder = json_begin_array();
    MeshMotion motion;
    for (size_t i = 0; mesh_motion(room->mesh, i, &motion); i++) {
        views_motion(builder, room->mesh, &motion);
    }
    json_builder_end_array(builder);
    bus_call_reply(call, json_built(builder));
}

void host_handle_motion_show(Host *host, BusCall *call) {
    const char *wanted = json_text(bus_call_arguments(call), "id", "");
    Room *room = room_of_call(host, call);
    MeshMotion motion;
    if (room != NULL && match_motion(room, call, wanted, &motion)) {
        JsonBuilder *builder = json_builder_new_immutable();
        put_motion(builder, room->mesh, &motion, FALSE); /* the same on every node */
        bus_call_reply(call, json_built(builder));
    }
}

/* ---- counters ---- */

static void put_links(JsonBuilder *builder, Room *room, Language language) {
    MeshMember member;
    json_builder_set_member_name(builder, "links");
    json_builder_begin_array(builder);
    for (size_t i = 0; room != NULL && mesh_member(room->mesh, i, &member); i++) {
        if (member.self ||
            (!member.linked && member.state != MESH_LINK_CONNECTING && member.tx_bytes == 0)) {
            continue;
        }
        json_builder_begin_object(builder);
        put_id(builder, "peer", member.key.bytes);
        json_put_text(builder, "name", naming_member(language, &member));
        json_put_int(builder, "tx_bytes", (gint64)member.tx_bytes);
        json_put_int(builder, "rx_bytes", (gint64)member.rx_bytes);
        json_put_int(builder, "packets", (gint64)member.packets_sent);
        json_put_int(builder, "lost", (gint64)member.packets_lost);
        json_put_int(builder, "expired", (gint64)member.messages_expired);
        put_quality(builder, &member);
        put_line(builder, room, &member, language);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_counters(JsonBuilder *builder, Host *host, Room *room) {
    NetCounters net = net_counters(host->net);
    MeshCounters mesh = {0};
    if (room != NULL) {
        mesh = mesh_counters(room->mesh);
    }
    const struct {
        const char *name;
        guint64 value;
    } counters[] = {
        {"malformed", mesh.malformed},
        {"forged", mesh.forged},
        {"replayed", mesh.replayed},
        {"foreign", mesh.foreign},
        {"limited", mesh.limited},
        {"refused", mesh.refused},
        {"datagrams_in", mesh.datagrams_in},
        {"datagrams_out", mesh.datagrams_out},
        {"duplicates", mesh.duplicates},
        {"forwarded", mesh.forwarded},
        {"kept_bytes", mesh.kept_bytes},
        {"net_sent", net.sent},
        {"net_received", net.received},
        {"net_send_failed", net.send_failed},
        {"net_dropped", net.dropped},
        {"stun_answered", net.stun_answered},
        {"stun_limited", net.stun_limited},
        {"store_unreadable", host->unreadable},
        {"bus_refused", bus_refused(host->bus)},
        {"bus_dropped", bus_dropped(host->bus)},
        {"frames_dropped", host->frames_dropped},
        {"pictures_refused", host->pictures_refused},
        {"media_restarts", media_restarts(host->media)},
        {"media_refused", media_refused(host->media)},
        {"media_dropped", media_dropped(host->media)},
    };
    json_put_begin(builder, "counters");
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++) {
        json_put_int(builder, counters[i].name, (gint64)counters[i].value);
    }
    json_builder_end_object(builder);
}

void host_handle_stats(Host *host, BusCall *call) {
    Room *room = room_current(host);
    JsonBuilder *builder = json_begin_object();
    put_links(builder, room, bus_call_language(call));
    json_builder_set_member_name(builder, "speakers");
    speakers_put(host, builder, bus_call_language(call));
    json_builder_set_member_name(builder, "videos");
    speakers_put_videos(host, builder, bus_call_language(call));
    json_builder_set_member_name(builder, "sources");
    rungs_put(host, builder, bus_call_language(call));
    put_counters(builder, host, room);
    json_builder_end_object(builder);
    bus_call_reply(call, json_built(builder));
}
