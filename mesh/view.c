/* SPDX-License-Identifier: MPL-2.0 */
/* What is true now, for whoever looks. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/journal/owed.h"

MeshInfo mesh_info(const Mesh *mesh) {
    const Roster *roster = &mesh->meeting.roster;
    MeshInfo info = {
        .status = mesh->status,
        .title = mesh->meeting.title ? mesh->meeting.title : "",
        .profile = mesh->meeting.profile ? mesh->meeting.profile : "meeting",
        .own_key = mesh->self.key,
        .relay = mesh->relay,
        .epoch = roster->epoch,
        .members = roster_people(roster),
        .entries = journal_count(mesh->journal),
        .written = owed_written(mesh),
        .copied = declare_is_copied(mesh),
    };
    size_t self;

    if (mesh->status == MESH_STATUS_MEMBER || mesh->status == MESH_STATUS_EXPELLED) {
        info.id = mesh->meeting.id;
    }
    self = roster_place(roster, &mesh->self.key);
    if (self < roster->member_count) {
        info.own_role = roster->members[self].role;
    }
    return info;
}

MeshCounters mesh_counters(const Mesh *mesh) {
    MeshCounters counters = mesh->counters;

    counters.kept_bytes = mesh->budget.total;
    return counters;
}

bool mesh_item_is_entry(const MeshItem *item) {
    return item->kind == MESH_ITEM_ENTRY &&
           !entry_is_husk(BYTES_AT(item->value, item->value_length));
}

static MeshLinkState link_state_of(const Mesh *mesh, const Neighbour *neighbour) {
    if (neighbour->linked == LINKED_UP) {
        return MESH_LINK_UP;
    }
    return neighbour->linked == LINKED_DOUBTED || mesh->now_us < neighbour->wanted_until_us
               ? MESH_LINK_CONNECTING
               : MESH_LINK_DOWN;
}

static MeshLineState line_state_of(LinkLine line) {
    static const MeshLineState STATES[] = {
        [LINK_LINE_START] = MESH_LINE_START,   [LINK_LINE_STEADY] = MESH_LINE_STEADY,
        [LINK_LINE_TRIAL] = MESH_LINE_TRIAL,   [LINK_LINE_SHARED] = MESH_LINE_SHARED,
        [LINK_LINE_OUTAGE] = MESH_LINE_OUTAGE,
    };

    return STATES[line];
}

static void view_link(const Mesh *mesh, const Neighbour *neighbour, MeshMember *member) {
    LinkState state = {0};

    if (neighbour->link) {
        state = link_state(neighbour->link, mesh->now_us);
        member->line_state = line_state_of(state.reason);
    }
    member->state = link_state_of(mesh, neighbour);
    member->rtt_us = state.rtt_us;
    member->loss_ppm = state.loss_ppm;
    member->rate_bps = state.rate_bps;
    member->queue_us = state.queue_us;
    member->line_queue_us = state.queue_own_us;
    member->packets_sent = state.packets_sent;
    member->packets_lost = state.packets_lost;
    member->messages_expired = state.messages_expired;
    member->tx_bytes = neighbour->tx_bytes;
    member->rx_bytes = neighbour->rx_bytes;
    if (member->state != MESH_LINK_UP) {
        return;
    }
    member->path = neighbour->path;
    member->linked = true;
    member->hops = 1;
    if (neighbour->path.kind == MESH_PATH_RELAY) {
        const Neighbour *first = map_first_hop(mesh, &neighbour->key);

        first = first ? first : neighbour_at(mesh, neighbour->path.agent);
        member->hops = first ? map_hops(mesh, &neighbour->key) : 0;
        member->hops = member->hops > 1 ? member->hops : 2; /* the map has yet to tell */
        if (first) {
            member->via = first->key;
        }
    }
}

/* One that is not linked with may be reached all the same. */
static void view_way(const Mesh *mesh, MeshMember *member) {
    const Neighbour *first = map_first_hop(mesh, &member->key);

    if (member->state == MESH_LINK_UP || !first) {
        return;
    }
    member->state = MESH_LINK_UP;
    member->line_state = MESH_LINE_UNKNOWN; /* what is left of its link is of a dead line */
    member->loss_ppm = member->rate_bps = member->queue_us = member->line_queue_us = 0;
    member->path = forward_path_by(mesh, first, member->key.bytes);
    member->via = first->key;
    member->hops = map_hops(mesh, &member->key);
    member->rtt_us = map_rtt_us(mesh, &member->key);
}

bool mesh_member(const Mesh *mesh, size_t index, MeshMember *ret_member) {
    const Roster *roster = &mesh->meeting.roster;
    const Neighbour *neighbour;
    const Member *member;

    if (index >= roster->member_count) {
        return false;
    }
    member = &roster->members[index];
    *ret_member = (MeshMember){.key = member->key,
                               .name = roster_name(member),
                               .role = member->role,
                               .expelled = member->expelled,
                               .forked = member->forked,
                               .self = mesh_key_equal(&member->key, &mesh->self.key)};
    neighbour = neighbour_find(mesh, &member->key);
    if (neighbour) {
        view_link(mesh, neighbour, ret_member);
    }
    view_way(mesh, ret_member);
    ret_member->unconfirmed = owed_count(mesh, &member->key);
    ret_member->confirms =
        ret_member->unconfirmed == 0 || ret_member->linked || ret_member->state != MESH_LINK_UP;
    return true;
}

bool mesh_map_member(const Mesh *mesh, size_t index, MeshMapMember *ret_member) {
    const Roster *roster = &mesh->meeting.roster;
    const uint8_t *record;
    const MeshKey *key;
    uint16_t node;

    if (index >= roster->member_count) {
        return false;
    }
    key = &roster->members[index].key;
    record = map_record(mesh, key);
    node = map_index(mesh, key);
    *ret_member = (MeshMapMember){.key = *key,
                                  .present = mesh_key_equal(key, &mesh->self.key) ||
                                             map_is_present(mesh, key),
                                  .hops = map_hops(mesh, key),
                                  .rtt_us = map_rtt_us(mesh, key)};
    if (ret_member->hops > 0) {
        ret_member->next = *map_key(mesh, map_paths(mesh)->next[node]);
    }
    if (record) {
        ret_member->declared = true;
        ret_member->weak = edges_flags(record) & EDGES_WEAK;
        ret_member->relay = edges_flags(record) & EDGES_RELAY;
        ret_member->number = edges_number(record);
        ret_member->edges = edges_count(record);
    }
    return true;
}

/* The member whose key begins so; zeros: none is. */
static MeshKey key_of_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]) {
    const Roster *roster = &mesh->meeting.roster;

    for (size_t i = 0; i < roster->member_count; i++) {
        if (!memcmp(roster->members[i].key.bytes, key, SHORT_KEY_SIZE)) {
            return roster->members[i].key;
        }
    }
    return (MeshKey){0};
}

bool mesh_map_edge(const Mesh *mesh, const MeshKey *member, size_t index, MeshMapEdge *ret_edge) {
    const uint8_t *record = map_record(mesh, member);
    const Edge *edge;
    const uint8_t *back;

    if (!record || index >= edges_count(record)) {
        return false;
    }
    edge = edges_at(record, index);
    *ret_edge = (MeshMapEdge){.key = key_of_short(mesh, edge->key),
                              .rtt_us_below = edge_rtt_bound_us(edge_rtt(edge->classes)),
                              .loss_ppm_below = edge_loss_bound_ppm(edge_loss(edge->classes))};
    if (edge_room(edge->classes) > 0) {
        ret_edge->rate_bps_from = edge_room_bound_bps(edge_room(edge->classes) - 1);
    }
    back = map_record(mesh, &ret_edge->key);
    ret_edge->agreed = back && edges_find(back, member->bytes);
    return true;
}

/* The name in the roster; "" when nobody has it. */
static const char *name_of(const Mesh *mesh, const MeshKey *key) {
    const Roster *roster = &mesh->meeting.roster;
    size_t place = roster_place(roster, key);

    return place < roster->member_count ? roster_name(&roster->members[place]) : "";
}

size_t mesh_message_count(const Mesh *mesh) {
    return mesh->meeting.message_count;
}

bool mesh_message(const Mesh *mesh, size_t index, MeshMessage *ret_message) {
    const Message *message;
    VoiceState voice = {0};

    if (index >= mesh->meeting.message_count) {
        return false;
    }
    message = &mesh->meeting.messages[index];
    if (message->voice) {
        voice = voices_state(&mesh->meeting.voices, &message->id, &message->author);
    }
    *ret_message = (MeshMessage){.id = message->id,
                                 .author = message->author,
                                 .name = name_of(mesh, &message->author),
                                 .text = message->text,
                                 .sent_at_ms = message->sent_at_ms,
                                 .voice_parts = voice.parts,
                                 .voice_ms = voice.duration_ms,
                                 .voice_whole = voice.whole};
    return true;
}

/* What the entry says, its seal opened; its bytes point into `ret_plain`. */
static MeshError open_act(const Mesh *mesh, const MeshHash *hash, uint8_t ret_plain[MESH_ENTRY_MAX],
                          SealedAct *ret_act) {
    const Record *record = journal_find(mesh->journal, hash);
    const EpochKey *key;
    size_t length;
    Entry entry;
    MeshError error =
        record ? entry_read_kept(record->bytes, record->length, &entry) : MESH_ERROR_UNKNOWN;

    if (error) {
        return error;
    }
    key = meeting_key(&mesh->meeting, entry.key_id);
    error = key ? entry_open(&entry, key, ret_plain, &length) : MESH_ERROR_UNKNOWN;
    return error ? error : act_read_sealed(BYTES_AT(ret_plain, length), ret_act);
}

MeshError mesh_voice_part(const Mesh *mesh, const MeshHash *message, uint32_t number,
                          uint8_t ret_bytes[MESH_ENTRY_MAX], MeshVoicePart *ret_part) {
    const VoicePart *part = voices_part(&mesh->meeting.voices, message, number);
    SealedAct act;
    MeshError error =
        part ? open_act(mesh, &part->place.hash, ret_bytes, &act) : MESH_ERROR_UNKNOWN;

    if (!error) {
        *ret_part = act.voice.part;
    }
    return error;
}

bool mesh_document(const Mesh *mesh, size_t index, MeshDocument *ret_document) {
    const Announced *announced;
    const Blob *blob;

    if (index >= mesh->meeting.document_count) {
        return false;
    }
    announced = &mesh->meeting.documents[index];
    blob = library_blob(mesh, &announced->id);
    *ret_document = (MeshDocument){.id = announced->id,
                                   .author = announced->author,
                                   .name = announced->name,
                                   .size = announced->size,
                                   .have = blob ? blob_have(blob) : 0,
                                   .leaves = blob_leaf_count(announced->size),
                                   .whole = blob && blob_is_whole(blob)};
    return true;
}

bool mesh_motion(const Mesh *mesh, size_t index, MeshMotion *ret_motion) {
    const Motions *motions = &mesh->meeting.motions;
    const Motion *motion;
    const Ballot *own;
    MotionResult result;

    if (index >= motions->motion_count) {
        return false;
    }
    motion = &motions->motions[index];
    motions_result(motions, motion, &result);
    own = motions_last_ballot(motions, motion, &mesh->self.key);
    *ret_motion = (MeshMotion){.id = motion->id,
                               .author = motion->author,
                               .text = motion->text,
                               .state = result.state,
                               .counted = result.counted,
                               .choice_count = motion->choice_count,
                               .outcome = result.outcome,
                               .own_vote = own ? motion->choices[own->choice] : ""};
    for (size_t i = 0; i < motion->choice_count; i++) {
        ret_motion->choices[i] = motion->choices[i];
        ret_motion->tally[i] = result.tally[i];
    }
    return true;
}

/* Whether it is still in the meeting. */
static bool is_here(const Roster *roster, const MeshKey *key) {
    size_t place = roster_place(roster, key);

    return place < roster->member_count && !roster->members[place].expelled;
}

size_t mesh_hands(const Mesh *mesh, MeshKey ret_keys[MESH_MEMBERS_MAX]) {
    const Meeting *meeting = &mesh->meeting;
    const Hand *hand = NULL;
    size_t count = 0;

    while ((hand = hands_next(&meeting->hands, hand))) {
        if (is_here(&meeting->roster, &hand->member)) {
            ret_keys[count++] = hand->member;
        }
    }
    return count;
}

size_t mesh_motion_voters(const Mesh *mesh, const MeshHash *id,
                          MeshVoter ret_voters[MESH_MEMBERS_MAX]) {
    const Roster *roster = &mesh->meeting.roster;
    const Motion *motion = motions_find(&mesh->meeting.motions, id);
    const Ballot *ballots[MESH_MEMBERS_MAX];
    size_t count = 0;

    if (motion) {
        motions_ballots(&mesh->meeting.motions, motion, ballots);
    }
    for (size_t i = 0; motion && i < roster->member_count; i++) {
        const Member *member = &roster->members[i];
        size_t voter = motion_voter(motion, &member->key);

        if (voter < motion->voter_count) {
            ret_voters[count++] = (MeshVoter){
                .key = member->key,
                .name = roster_name(member),
                .choice = ballots[voter] ? motion->choices[ballots[voter]->choice] : ""};
        }
    }
    return count;
}

MeshError mesh_document_leaf_key(const Mesh *mesh, const MeshHash *document, uint32_t leaf,
                                 uint8_t ret_key[MESH_ITEM_KEY_MAX], size_t *ret_length) {
    const Announced *announced = meeting_document(&mesh->meeting, document);
    const Blob *blob = library_blob(mesh, document);

    if (!announced || !blob || leaf >= blob_leaf_count(announced->size)) {
        return MESH_ERROR_UNKNOWN;
    }
    *ret_length = blob_key(blob_id(blob), (BlobPlace){.level = 0, .index = leaf}, ret_key);
    return MESH_OK;
}

MeshError mesh_document_leaf_open(const Mesh *mesh, const MeshHash *document, uint32_t leaf,
                                  const uint8_t *sealed, size_t sealed_length,
                                  uint8_t ret_plain[4096], size_t *ret_length) {
    const Announced *announced = meeting_document(&mesh->meeting, document);
    const Blob *blob = library_blob(mesh, document);

    if (!announced || !blob) {
        return MESH_ERROR_UNKNOWN;
    }
    if (leaf >= blob_leaf_count(announced->size) || sealed_length > BLOB_BLOCK_SIZE ||
        sealed_length != blob_block_size(blob, (BlobPlace){.level = 0, .index = leaf})) {
        return MESH_ERROR_FORGED;
    }
    if (sealed_length > 0) {
        memcpy(ret_plain, sealed, sealed_length);
    }
    blob_cipher(announced->key, leaf, ret_plain, sealed_length);
    *ret_length = sealed_length;
    return MESH_OK;
}
