/* SPDX-License-Identifier: MPL-2.0 */
/* The joiner: from a ticket, or from codes that people carry, to being in the roster. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define WORD    "join"  /* of the state kept while joining */
#define JOIN_US (2 * S) /* before another member is asked to admit us, */
#define SAME_US                                                                                    \
    (8 * S) /* and before one that has forgotten it is again: the link forgets nothing */

#define RELAY_VERSION 1 /* of what a relay keeps */

void join_finish(Mesh *mesh) {
    free(mesh->admission.early);
    mesh->admission.early = NULL;
    mesh->admission.early_length = 0;
}

/* ---- being here to carry ---- */

/* What a relay keeps: that it is one and, once it was welcomed, the secret to knock with. */
static void keep_relay(Mesh *mesh) {
    uint8_t value[1 + HANDSHAKE_PSK_SIZE] = {RELAY_VERSION};

    memcpy(value + 1, mesh->psk, sizeof mesh->psk);
    core_keep(mesh, JOIN_WORD_RELAY, BYTES_AT(value, mesh->has_psk ? sizeof value : 1));
    sodium_memzero(value, sizeof value);
}

static void become_relay(Mesh *mesh) {
    mesh->relay = true;
    mesh->budget.max = mesh->store_max > 0 ? mesh->store_max : MESH_STORE_MAX;
}

static void be_no_relay(Mesh *mesh) {
    if (mesh->relay) {
        mesh->relay = false;
        mesh->has_psk = false;
        mesh->budget.max = 0;
        sodium_memzero(mesh->psk, sizeof mesh->psk);
        core_forget(mesh, MESH_ITEM_STATE, BYTES_AT(JOIN_WORD_RELAY, strlen(JOIN_WORD_RELAY)));
    }
}

void join_relay_loaded(Mesh *mesh, Bytes value) {
    become_relay(mesh);
    if (value.length == 1 + HANDSHAKE_PSK_SIZE && value.data[0] == RELAY_VERSION) {
        memcpy(mesh->psk, value.data + 1, sizeof mesh->psk);
        mesh->has_psk = true;
    }
}

/* ---- beginning and ending ---- */

static void finish_join(Mesh *mesh, MeshError error) {
    Admission *admission = &mesh->admission;

    if (admission->answers) {
        core_done(mesh, admission->tag, error, &mesh->meeting.id, NULL);
    }
    admission->answers = false;
    admission->state = ADMISSION_NONE;
    join_finish(mesh);
    sodium_memzero(admission->hand_seed, sizeof admission->hand_seed);
    core_forget(mesh, MESH_ITEM_STATE, BYTES_AT(WORD, strlen(WORD)));
    if (error) {
        admission->hand_given = false;
        mesh->status = MESH_STATUS_NEW;
        be_no_relay(mesh);
        neighbours_leave(mesh); /* another ticket may lead to the same nodes */
    }
}

static Neighbour *inviter(Mesh *mesh) {
    const Ticket *ticket = &mesh->admission.ticket;
    Neighbour *neighbour = neighbour_want(mesh, &ticket->inviter, mesh->admission.psk, true);

    for (size_t i = neighbour ? ticket->address_count : 0; i-- > 0;) {
        neighbour_add_address(neighbour, &ticket->addresses[i]);
    }
    return neighbour;
}

/* What a restart needs to go on: the ticket and, by hand, what message 1 was made of. */
static void keep(Mesh *mesh, uint64_t tag, const char *code) {
    const Admission *admission = &mesh->admission;
    char text[MESH_TICKET_MAX + 1];
    uint8_t value[1 + MESH_TICKET_MAX + 32 + HANDSHAKE_PAYLOAD_SIZE];
    BytesWriter writer = bytes_writer(value, sizeof value);

    ticket_write(&admission->ticket, text);
    bytes_write_u8(&writer, (uint8_t)strlen(text));
    bytes_write(&writer, text, strlen(text));
    if (admission->state == ADMISSION_BY_HAND) {
        bytes_write(&writer, admission->hand_seed, sizeof admission->hand_seed);
        bytes_write(&writer, admission->hand_payload, admission->hand_payload_length);
    }
    core_persist(mesh, MESH_ITEM_STATE, BYTES_AT(WORD, strlen(WORD)),
                 BYTES_AT(value, bytes_written(&writer)),
                 (Pending){.kind = PENDING_DONE,
                           .answer = code != NULL,
                           .tag = tag,
                           .text = code ? memory_text(BYTES_AT(code, strlen(code))) : NULL});
    sodium_memzero(value, sizeof value);
}

static MeshError begin_by_hand(Mesh *mesh, Neighbour *neighbour, uint64_t tag, bool anew) {
    Admission *admission = &mesh->admission;
    uint8_t bytes[MESH_DATAGRAM_MAX];
    char code[MESH_CODE_MAX + 1];
    size_t length;
    MeshError error;

    if (anew) {
        core_random(mesh, admission->hand_seed, sizeof admission->hand_seed);
        admission->hand_payload_length =
            contact_payload(mesh, neighbour, admission->hand_payload).length;
    }
    error = contact_code(mesh, neighbour, admission->hand_seed,
                         BYTES_AT(admission->hand_payload, admission->hand_payload_length), bytes,
                         &length);
    if (!error) {
        handshake_index(BYTES_AT(bytes, length), admission->hand_index);
        admission->hand_given = true;
        error = ticket_code_write(ADMISSION_CODE_ASKS, BYTES_AT(bytes, length), code);
    }
    if (!error && anew) {
        keep(mesh, tag, code);
    }
    return error;
}

static MeshError begin(Mesh *mesh, const char *text, bool by_hand) {
    Admission *admission = &mesh->admission;
    MeshError error = ticket_read(text ? text : "", &admission->ticket);

    if (error) {
        return error;
    }
    if (mesh_key_equal(&admission->ticket.inviter, &mesh->self.key)) {
        return MESH_ERROR_ALREADY_MEMBER;
    }
    ticket_psk(admission->ticket.secret, admission->psk);
    admission->state = by_hand ? ADMISSION_BY_HAND : ADMISSION_SEEKING;
    admission->welcomed = false;
    mesh->status = MESH_STATUS_JOINING;
    return MESH_OK;
}

/* Why a Mesh that is not new does not join: a member knows the tickets of its meeting. */
static MeshError refuse_join(Mesh *mesh, const char *text) {
    Ticket ticket;
    uint8_t id[TICKET_ID_SIZE];
    MeshError error = ticket_read(text ? text : "", &ticket);

    if (error) {
        return error;
    }
    ticket_id(ticket.secret, id);
    sodium_memzero(&ticket, sizeof ticket);
    return mesh->status == MESH_STATUS_MEMBER && roster_invite(&mesh->meeting.roster, id)
               ? MESH_ERROR_ALREADY_MEMBER
               : MESH_ERROR_STATE;
}

void join_wanted(Mesh *mesh, const MeshIntent *intent) {
    MeshError error = mesh->status == MESH_STATUS_NEW ? begin(mesh, intent->text, intent->by_hand)
                                                      : refuse_join(mesh, intent->text);
    Neighbour *neighbour = error ? NULL : inviter(mesh);

    if (!error && !neighbour) {
        error = MESH_ERROR_TICKET_MISTYPED; /* the inviter's key is no key */
    }
    if (!error && intent->role == MESH_ROLE_RELAY) {
        become_relay(mesh);
        keep_relay(mesh);
    }
    if (!error && intent->by_hand) {
        error = begin_by_hand(mesh, neighbour, intent->tag, true);
    } else if (!error) {
        mesh->admission.answers = true;
        mesh->admission.tag = intent->tag;
        keep(mesh, 0, NULL);
        contact_begin(mesh, neighbour, true);
        reach_soon(mesh);
    }
    if (error) {
        if (mesh->status == MESH_STATUS_JOINING) {
            mesh->status = MESH_STATUS_NEW;
            mesh->admission.state = ADMISSION_NONE;
            mesh->admission.hand_given = false;
            be_no_relay(mesh);
            neighbours_leave(mesh);
        }
        core_done(mesh, intent->tag, error, NULL, NULL);
    }
}

void join_loaded(Mesh *mesh, Bytes value) {
    Admission *admission = &mesh->admission;
    BytesReader reader = bytes_reader(value.data, value.length);
    size_t length = bytes_read_u8(&reader);
    const uint8_t *bytes = bytes_read(&reader, length);
    char text[MESH_TICKET_MAX + 1];
    bool by_hand = bytes_left(&reader) > sizeof admission->hand_seed;
    Neighbour *neighbour;

    if (!bytes || length > MESH_TICKET_MAX) {
        return;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    if (begin(mesh, text, by_hand)) {
        return;
    }
    neighbour = inviter(mesh);
    if (neighbour && by_hand) {
        bytes_read_into(&reader, admission->hand_seed, sizeof admission->hand_seed);
        admission->hand_payload_length = bytes_left(&reader) < HANDSHAKE_PAYLOAD_SIZE
                                             ? bytes_left(&reader)
                                             : HANDSHAKE_PAYLOAD_SIZE;
        bytes_read_into(&reader, admission->hand_payload, admission->hand_payload_length);
        begin_by_hand(mesh, neighbour, 0, false);
    } else if (neighbour) {
        contact_begin(mesh, neighbour, true);
        reach_soon(mesh);
    }
}

/* The answer to the code that was carried away, which may not be waited for any more: the same
 * message 1 also goes out by itself, and where it was answered so, the link is there already. */
static MeshError accept(Mesh *mesh, Bytes message) {
    Admission *admission = &mesh->admission;
    MeshPath by_hand = {.kind = MESH_PATH_NONE};
    uint8_t index[HANDSHAKE_INDEX_SIZE];
    MeshError error = contact_answer(mesh, &by_hand, message);
    Neighbour *neighbour;

    handshake_index(message, index);
    if (error != MESH_ERROR_FOREIGN) {
        return error;
    }
    if (memcmp(index, admission->hand_index, sizeof index)) {
        return MESH_ERROR_UNKNOWN; /* the answer to another code */
    }
    neighbour = inviter(mesh);
    if (!neighbour || neighbour_is_up(neighbour)) {
        return neighbour ? MESH_OK : MESH_ERROR_FULL;
    }
    /* That link was lost again: message 1 as it was carried, made anew from its seed. */
    begin_by_hand(mesh, neighbour, 0, false);
    error = contact_answer(mesh, &by_hand, message);
    return error == MESH_ERROR_FOREIGN ? MESH_ERROR_UNKNOWN : error;
}

void join_accept_wanted(Mesh *mesh, const MeshIntent *intent) {
    Admission *admission = &mesh->admission;
    uint8_t bytes[MESH_DATAGRAM_MAX];
    uint8_t index[HANDSHAKE_INDEX_SIZE];
    size_t length = 0;
    MeshError error = admission->hand_given ? MESH_OK : MESH_ERROR_STATE;

    if (!error) {
        error = ticket_code_read(ADMISSION_CODE_ANSWERS, intent->text ? intent->text : "", bytes,
                                 sizeof bytes, &length);
    }
    if (!error && admission->state == ADMISSION_BY_HAND) {
        error = accept(mesh, BYTES_AT(bytes, length));
    } else if (!error) {
        handshake_index(BYTES_AT(bytes, length), index);
        error = memcmp(index, admission->hand_index, sizeof index) ? MESH_ERROR_UNKNOWN : MESH_OK;
    }
    if (error || admission->state != ADMISSION_BY_HAND) {
        core_done(mesh, intent->tag, error, &mesh->meeting.id, NULL); /* in already, perhaps */
        return;
    }
    admission->answers = true;
    admission->tag = intent->tag;
}

/* Asks one member to be admitted. */
static void ask(Mesh *mesh, uint32_t slot) {
    uint8_t body[DOMAIN_SIGNATURE_SIZE + MESH_NAME_MAX];
    uint8_t seed[MESH_SEED_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);
    uint8_t proof[DOMAIN_SIGNATURE_SIZE];
    Identity ticket_key;

    mesh->admission.join_us = mesh->now_us + JOIN_US;
    mesh->admission.join_turn = slot;
    ticket_seed(mesh->admission.ticket.secret, seed);
    identity_init(&ticket_key, seed);
    domain_sign(&ticket_key, "ticket proof", NULL, BYTES_OF(mesh->self.key.bytes), proof);
    identity_finish(&ticket_key);
    sodium_memzero(seed, sizeof seed);
    bytes_write(&writer, proof, sizeof proof);
    if (!mesh->relay) {
        bytes_write(&writer, mesh->name, strlen(mesh->name));
    }
    neighbour_send(mesh, neighbour_at(mesh, slot), LINK_URGENT, UINT64_MAX,
                   mesh->relay ? MESSAGE_JOIN_RELAY : MESSAGE_JOIN,
                   BYTES_AT(body, bytes_written(&writer)));
}

/* One member is asked at a time: several would each write an ADMIT. Of a new link the former one's
 * question is gone. */
void join_greet(Mesh *mesh, uint32_t slot) {
    if (mesh->status != MESH_STATUS_JOINING) {
        return;
    }
    if (mesh->admission.welcomed) {
        sync_greet(mesh, slot); /* whoever welcomed us may be gone */
    } else if (slot == mesh->admission.join_turn || mesh->now_us >= mesh->admission.join_us) {
        ask(mesh, slot);
    }
}

/* The next neighbour after the one asked last; NEIGHBOUR_NONE when none is linked. */
static uint32_t next_to_ask(const Mesh *mesh) {
    for (uint32_t i = 1; i <= MESH_PEERS_MAX; i++) {
        uint32_t slot = (mesh->admission.join_turn + i) % MESH_PEERS_MAX;
        const Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && neighbour_is_up(neighbour)) {
            return slot;
        }
    }
    return NEIGHBOUR_NONE;
}

static bool is_asking(const Mesh *mesh) {
    return mesh->status == MESH_STATUS_JOINING && !mesh->admission.welcomed &&
           next_to_ask(mesh) != NEIGHBOUR_NONE;
}

MeshError join_early(Mesh *mesh, uint32_t slot, Bytes body) {
    Admission *admission = &mesh->admission;
    BytesWriter writer;

    if (!admission->early) {
        admission->early = malloc(MESH_EARLY_MAX);
    }
    if (!admission->early) {
        return MESH_ERROR_NO_MEMORY;
    }
    writer = bytes_writer(admission->early + admission->early_length,
                          MESH_EARLY_MAX - admission->early_length);
    bytes_write_u8(&writer, (uint8_t)slot);
    bytes_write_u16(&writer, (uint16_t)body.length);
    bytes_write(&writer, body.data, body.length);
    if (writer.failed) {
        return MESH_ERROR_FULL;
    }
    admission->early_length += bytes_written(&writer);
    return MESH_OK;
}

static void look_at_early(Mesh *mesh) {
    BytesReader reader = bytes_reader(mesh->admission.early, mesh->admission.early_length);

    while (bytes_left(&reader) > 0) {
        uint8_t slot = bytes_read_u8(&reader);
        size_t length = bytes_read_u16(&reader);
        const uint8_t *bytes = bytes_read(&reader, length);

        if (neighbour_at(mesh, slot) && sync_entry(mesh, slot, BYTES_AT(bytes, length))) {
            mesh->counters.refused++;
        }
    }
    join_finish(mesh);
}

static void welcomed(Mesh *mesh, const MeshHash *id) {
    mesh->admission.welcomed = true;
    mesh->meeting.id = *id;
    core_keep(mesh, "id", BYTES_OF(id->bytes));
}

MeshError join_welcome(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshHash id;

    if (mesh->relay) {
        return MESH_ERROR_FORBIDDEN; /* no epoch key is wanted here */
    }
    if (mesh->status != MESH_STATUS_JOINING || mesh->admission.welcomed) {
        return mesh->status == MESH_STATUS_EXPELLED ? MESH_ERROR_STATE : MESH_OK; /* by another */
    }
    bytes_read_into(&reader, id.bytes, sizeof id.bytes);
    if (reader.failed || bytes_left(&reader) == 0 || bytes_left(&reader) % 32 ||
        bytes_left(&reader) / 32 > MESH_EPOCHS_MAX) {
        return MESH_ERROR_MALFORMED;
    }
    welcomed(mesh, &id);
    while (bytes_left(&reader) > 0) {
        core_learn_key(mesh, bytes_read(&reader, 32));
    }
    look_at_early(mesh);
    sync_greet(mesh, slot);
    return MESH_OK;
}

MeshError join_welcome_relay(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshHash id;

    if (!mesh->relay) {
        return MESH_ERROR_FORBIDDEN;
    }
    if (mesh->status != MESH_STATUS_JOINING || mesh->admission.welcomed) {
        return MESH_OK; /* by another */
    }
    bytes_read_into(&reader, id.bytes, sizeof id.bytes);
    if (bytes_left(&reader) != sizeof mesh->psk) {
        return MESH_ERROR_MALFORMED;
    }
    bytes_read_into(&reader, mesh->psk, sizeof mesh->psk);
    mesh->has_psk = true;
    keep_relay(mesh);
    welcomed(mesh, &id);
    look_at_early(mesh);
    sync_greet(mesh, slot);
    return MESH_OK;
}

MeshError join_refuse(Mesh *mesh, uint32_t slot, Bytes body) {
    MeshError reason = body.length == 1 ? (MeshError)body.data[0] : MESH_ERROR_TICKET_REFUSED;

    if (mesh->status != MESH_STATUS_JOINING || mesh->admission.welcomed) {
        return MESH_OK; /* by another, who knows less */
    }
    if (reason != MESH_ERROR_FULL && reason != MESH_ERROR_TICKET_RELAY &&
        reason != MESH_ERROR_TICKET_MEMBER &&
        (reason < MESH_ERROR_TICKET_EXPIRED || reason > MESH_ERROR_TICKET_REFUSED)) {
        reason = MESH_ERROR_TICKET_REFUSED;
    }
    finish_join(mesh, reason);
    return MESH_OK;
}

/* Our ticket is in the journal, as its inviter signed it, and so are we. */
static bool is_admitted(Mesh *mesh) {
    const Ticket *ticket = &mesh->admission.ticket;
    uint8_t id[TICKET_ID_SIZE];
    uint8_t seed[MESH_SEED_SIZE];
    const Invite *invite;
    MeshKey key;

    if (mesh->relay && !core_is_relay(mesh, &mesh->self.key)) {
        return false;
    }
    ticket_id(ticket->secret, id);
    invite = roster_invite(&mesh->meeting.roster, id);
    ticket_seed(ticket->secret, seed);
    key = mesh_key_of_seed(seed);
    sodium_memzero(seed, sizeof seed);
    return core_self(mesh) && invite && mesh_key_equal(&invite->author, &ticket->inviter) &&
           !memcmp(invite->public_key, key.bytes, MESH_KEY_SIZE);
}

void join_begin(Mesh *mesh) {
    /* Whoever welcomed the former run may be gone. */
    mesh->admission.welcomed &= mesh->status != MESH_STATUS_JOINING;
}

void join_update(Mesh *mesh) {
    if (mesh->status == MESH_STATUS_JOINING && is_admitted(mesh)) {
        mesh->status = MESH_STATUS_MEMBER;
        finish_join(mesh, MESH_OK);
        reach_soon(mesh);
    }
}

void join_timeout(Mesh *mesh) {
    if (mesh->now_us >= join_deadline_us(mesh)) {
        ask(mesh, next_to_ask(mesh));
    }
}

uint64_t join_deadline_us(const Mesh *mesh) {
    bool same = next_to_ask(mesh) == mesh->admission.join_turn;

    return is_asking(mesh) ? mesh->admission.join_us + (same ? SAME_US - JOIN_US : 0) : UINT64_MAX;
}
