/* SPDX-License-Identifier: MPL-2.0 */
/* Handshakes: message 1 goes out by every way there is until message 2 comes back by one. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/memory.h"

#define VERSION       1
#define FRESH_US      (20 * S) /* then a new message 1 is made */
#define CONNECTING_US (8 * S)
#define FIRST_US      (250 * MS)
#define OFTEN_US      (3 * S)
#define OFTEN_TRIES   40 /* two minutes; then */
#define VAIN_TRIES    4  /* by one hop, then by another */
#define SLOWEST_US    (10 * S)
#define SIGHTED_US    S
#define REKEY_US      (600 * S)
#define REKEY_PACKETS (1u << 20)
#define HAND_US       (600 * S) /* NAT mappings and people: whoever carries a code is quick */
#define YIELD_US      S /* theirs was answered: ours waits so long before it goes out again */
#define AGAIN_US      (200 * MS) /* however often it is wanted soon */

typedef struct {
    MeshKey key;
    uint8_t instance[4];
    uint8_t phase; /* of the answer: of the keys from now on */
    bool greets;   /* of the answer: whoever knocks is in the roster there */
    size_t address_count;
    MeshPath addresses[MESH_ADDRESSES_MAX];
} Payload;

static Bytes write_payload(Mesh *mesh, const Neighbour *neighbour, uint8_t phase, bool greets,
                           uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE]) {
    BytesWriter writer = bytes_writer(bytes, HANDSHAKE_PAYLOAD_SIZE);

    bytes_write_u8(&writer, VERSION);
    bytes_write(&writer, mesh->self.key.bytes, MESH_KEY_SIZE);
    bytes_write(&writer, neighbour->instance, sizeof neighbour->instance);
    bytes_write_u8(&writer, phase);
    reach_write_own(mesh, &writer);
    bytes_write_u8(&writer, greets);
    return BYTES_AT(bytes, bytes_written(&writer));
}

static bool read_payload(Bytes bytes, Payload *ret_payload) {
    BytesReader reader = bytes_reader(bytes.data, bytes.length);
    Payload payload = {0};

    if (bytes_read_u8(&reader) != VERSION) {
        return false;
    }
    bytes_read_into(&reader, payload.key.bytes, MESH_KEY_SIZE);
    bytes_read_into(&reader, payload.instance, sizeof payload.instance);
    payload.phase = bytes_read_u8(&reader);
    payload.address_count = reach_read_addresses(&reader, payload.addresses);
    payload.greets = bytes_left(&reader) > 0 && bytes_read_u8(&reader) == 1;
    *ret_payload = payload;
    return !reader.failed && payload.phase < NEIGHBOUR_PHASES;
}

/* ---- keys ---- */

static Keys *add_keys(Mesh *mesh, Neighbour *neighbour, uint8_t phase, const HandshakeKeys *keys,
                      const Payload *payload, const uint8_t psk[HANDSHAKE_PSK_SIZE]) {
    Keyring *keyring = &neighbour->keyring;
    const Keys *former = keyring->current;
    uint64_t counter = former && former->session.any ? former->session.highest : 0;
    uint32_t chance;
    Keys *added;

    core_random(mesh, &chance, sizeof chance);
    added = keyring_add(keyring, mesh->now_us, chance);
    if (added) {
        session_init(&added->session, keys, phase);
        session_expect(&added->session, counter);
        memcpy(added->own_instance, neighbour->instance, sizeof added->own_instance);
        memcpy(added->peer_instance, payload->instance, sizeof added->peer_instance);
        memcpy(added->psk, psk, HANDSHAKE_PSK_SIZE);
    }
    return added;
}

/* Another run of that node, or its link was lost: what our link held means nothing to it. */
static bool begin_link(Mesh *mesh, Neighbour *neighbour, const Keys *keys) {
    Link *link = link_create(NEIGHBOUR_WIRE_OVERHEAD);

    if (!link) {
        return false;
    }
    route_lost(mesh, neighbour, MESH_END_RENEWED);
    memcpy(neighbour->instance, keys->own_instance, sizeof neighbour->instance);
    neighbour->contact = CONTACT_IDLE;
    link_destroy(neighbour->link);
    neighbour->link = link;
    return true;
}

bool contact_confirmed(Mesh *mesh, Neighbour *neighbour, Keys *keys) {
    const Keys *former = neighbour->keyring.current;
    bool same = former && !keyring_is_stale(&neighbour->keyring, former, neighbour->instance) &&
                !memcmp(former->peer_instance, keys->peer_instance, sizeof keys->peer_instance);

    keys->confirmed = true; /* the end of the former link leaves them */
    if (!same && !begin_link(mesh, neighbour, keys)) {
        keys->confirmed = false;
        return false;
    }
    keyring_use(&neighbour->keyring, keys, mesh->now_us);
    neighbour->contact = CONTACT_IDLE;
    if (neighbour->by_ticket) {
        memcpy(neighbour->psk, keys->psk, sizeof neighbour->psk);
    }
    return true;
}

/* ---- beginning ---- */

void contact_forget(Neighbour *neighbour) {
    if (neighbour->knock) {
        sodium_memzero(neighbour->knock, sizeof *neighbour->knock);
    }
    free(neighbour->knock);
    neighbour->knock = NULL;
    neighbour->init_made_us = 0;
}

static MeshError begin(Mesh *mesh, Neighbour *neighbour, const uint8_t seed[32], Bytes payload) {
    uint8_t bytes[MESH_DATAGRAM_MAX];
    Handshake handshake;
    size_t length = 0;
    MeshError error = handshake_begin(&handshake, &mesh->self, neighbour->static_key,
                                      neighbour->psk, seed, payload, bytes, &length);

    contact_forget(neighbour);
    neighbour->knock = error ? NULL : malloc(sizeof *neighbour->knock + length);
    if (neighbour->knock) {
        neighbour->knock->handshake = handshake;
        neighbour->knock->length = length;
        memcpy(neighbour->knock->init, bytes, length);
    }
    sodium_memzero(&handshake, sizeof handshake);
    return error || neighbour->knock ? error : MESH_ERROR_NO_MEMORY;
}

static bool make_init(Mesh *mesh, Neighbour *neighbour) {
    uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE];
    uint8_t seed[32];
    MeshError error;

    core_random(mesh, seed, sizeof seed);
    error = begin(mesh, neighbour, seed, write_payload(mesh, neighbour, 0, false, bytes));
    sodium_memzero(seed, sizeof seed);
    neighbour->init_made_us = mesh->now_us;
    return !error;
}

MeshError contact_code(Mesh *mesh, Neighbour *neighbour, const uint8_t seed[32], Bytes payload,
                       uint8_t *ret_bytes, size_t *ret_length) {
    MeshError error = begin(mesh, neighbour, seed, payload);

    if (!error) {
        /* Of the run that wrote the payload. */
        memcpy(neighbour->instance, payload.data + 1 + MESH_KEY_SIZE, sizeof neighbour->instance);
        neighbour->contact = CONTACT_KNOCKING;
        neighbour->init_made_us = UINT64_MAX; /* never made anew: people carry it */
        neighbour->contact_next_us = mesh->now_us;
        memcpy(ret_bytes, neighbour->knock->init, neighbour->knock->length);
        *ret_length = neighbour->knock->length;
    }
    return error;
}

Bytes contact_payload(Mesh *mesh, const Neighbour *neighbour,
                      uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE]) {
    return write_payload(mesh, neighbour, 0, false, bytes);
}

void contact_begin(Mesh *mesh, Neighbour *neighbour, bool soon) {
    if (neighbour->contact == CONTACT_IDLE) {
        neighbour->contact = CONTACT_KNOCKING;
        neighbour->contact_tries = 0;
        neighbour->turn_tries = CONTACT_TURN;
        neighbour->contact_next_us = mesh->now_us;
    }
    if (soon) {
        uint64_t again_us = neighbour->contact_sent_us + AGAIN_US;

        neighbour->contact_tries = 0;
        neighbour->turn_tries = CONTACT_TURN;
        neighbour->contact_next_us = mesh->now_us < again_us ? again_us : mesh->now_us;
        neighbour->wanted_until_us = mesh->now_us + CONNECTING_US;
    }
}

void contact_rest(Mesh *mesh, Neighbour *neighbour) {
    neighbour->sighted_us = mesh->now_us; /* what was still under way says nothing */
    neighbour->wanted_until_us = mesh->now_us;
    neighbour->contact_tries = OFTEN_TRIES;
    neighbour->contact_next_us = mesh->now_us + SLOWEST_US;
}

void contact_sighted(Mesh *mesh, Neighbour *neighbour, const MeshPath *path) {
    if (neighbour_is_up(neighbour) || mesh->now_us < neighbour->sighted_us + SIGHTED_US) {
        return;
    }
    neighbour->sighted_us = mesh->now_us;
    if (company_shuns(mesh, &neighbour->key)) {
        route_parted(mesh, neighbour);
        return;
    }
    neighbour_add_address(neighbour, path);
    contact_begin(mesh, neighbour, true);
}

static void transmit_init(Mesh *mesh, Neighbour *neighbour) {
    Bytes init = BYTES_AT(neighbour->knock->init, neighbour->knock->length);
    MeshPath path;

    if (neighbour->linked > LINKED_KEPT) {
        neighbour_transmit(mesh, &neighbour->path, init, LINK_CONTROL);
        return;
    }
    /* The first to arrive becomes the path, and each packet by IPv6 costs 20 bytes more. */
    for (uint8_t family = 4; family <= 6; family += 2) {
        for (size_t i = 0; i < neighbour->address_count; i++) {
            if (neighbour->addresses[i].family == family) {
                neighbour_transmit(mesh, &neighbour->addresses[i], init, LINK_CONTROL);
            }
        }
    }
    if (forward_path(mesh, neighbour->key.bytes, &path)) {
        neighbour_transmit(mesh, &path, init, LINK_CONTROL);
    }
    if (neighbour->by_ticket && neighbour->contact_tries > 1) {
        porter_knock(mesh, neighbour->key.bytes, init); /* it is not reached by itself */
    }
}

/* When the lower static key renews the keys of a link in use. */
static uint64_t rekey_us(const Neighbour *neighbour) {
    const Keyring *keyring = &neighbour->keyring;

    if (neighbour->linked <= LINKED_KEPT || neighbour->contact != CONTACT_IDLE ||
        !neighbour->first) {
        return UINT64_MAX;
    }
    return keyring->sealed > REKEY_PACKETS ? 0 : keyring->used_us + REKEY_US;
}

uint64_t contact_renew_us(const Neighbour *neighbour) {
    uint64_t wipe_us = keyring_wipe_us(&neighbour->keyring);

    return wipe_us < rekey_us(neighbour) ? wipe_us : rekey_us(neighbour);
}

uint64_t contact_deadline_us(const Neighbour *neighbour) {
    return neighbour->contact == CONTACT_KNOCKING ? neighbour->contact_next_us : UINT64_MAX;
}

void contact_timeout(Mesh *mesh, Neighbour *neighbour) {
    uint64_t pause_us;

    keyring_wipe(&neighbour->keyring, mesh->now_us);
    if (mesh->now_us >= rekey_us(neighbour)) {
        contact_begin(mesh, neighbour, false);
    }
    if (mesh->now_us < contact_deadline_us(neighbour)) {
        return;
    }
    if (neighbour->init_made_us != UINT64_MAX &&
        (!neighbour->knock || mesh->now_us >= neighbour->init_made_us + FRESH_US) &&
        !make_init(mesh, neighbour)) {
        neighbour->contact = CONTACT_IDLE;
        return;
    }
    if (neighbour->linked <= LINKED_KEPT &&
        neighbour->contact_tries % VAIN_TRIES == VAIN_TRIES - 1) {
        forward_in_vain(mesh, neighbour);
    }
    transmit_init(mesh, neighbour);
    neighbour->contact_sent_us = mesh->now_us;
    neighbour->yielded = false;
    pause_us = neighbour->contact_tries < 4             ? FIRST_US << neighbour->contact_tries
               : neighbour->contact_tries < OFTEN_TRIES ? OFTEN_US
                                                        : SLOWEST_US;
    neighbour->contact_next_us = mesh->now_us + pause_us;
    neighbour->contact_tries++;
}

/* ---- answering ---- */

/* The secret that message 1 was made under: the meeting's, or a ticket's. NULL: of neither. */
static const uint8_t *find_psk(Mesh *mesh, Bytes message, bool *ret_by_ticket) {
    const Roster *roster = &mesh->meeting.roster;

    *ret_by_ticket = false;
    if (mesh->status == MESH_STATUS_EXPELLED) {
        return NULL;
    }
    if (mesh->has_psk && handshake_is_for(message, mesh->self.static_public, mesh->psk)) {
        return mesh->psk;
    }
    *ret_by_ticket = true;
    for (size_t i = 0; mesh->status == MESH_STATUS_MEMBER && i < roster->invite_count; i++) {
        const Invite *invite = &roster->invites[i];

        if (invite->has_psk && handshake_is_for(message, mesh->self.static_public, invite->psk)) {
            return invite->psk;
        }
    }
    return NULL;
}

/* Of the keys after those in use; of those that wait for their first packet several may be so. */
static uint8_t next_phase(const Neighbour *neighbour) {
    const Keys *current = neighbour->keyring.current;

    return current ? (uint8_t)((current->session.phase + 1) % NEIGHBOUR_PHASES) : 0;
}

static Keys *answer(Mesh *mesh, Neighbour *neighbour, const HandshakeInit *init, const uint8_t *psk,
                    const Payload *payload) {
    uint8_t phase = next_phase(neighbour);
    uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE];
    uint8_t message[MESH_DATAGRAM_MAX];
    uint8_t seed[32];
    HandshakeKeys keys;
    bool greets = mesh->status == MESH_STATUS_MEMBER && core_member(mesh, &payload->key) != NULL;
    Keys *added = NULL;
    size_t length;

    core_random(mesh, seed, sizeof seed);
    if (!handshake_answer(init, psk, seed, write_payload(mesh, neighbour, phase, greets, bytes),
                          message, &length, &keys)) {
        added = add_keys(mesh, neighbour, phase, &keys, payload, psk);
    }
    if (added) {
        added->greets = greets;
        added->answer = memory_copy(message, length);
        added->answer_length = added->answer ? length : 0;
    }
    sodium_memzero(&keys, sizeof keys);
    sodium_memzero(seed, sizeof seed);
    return added;
}

/* The slot of whoever sent a message 1 that may be answered; NULL with an error. */
static Neighbour *welcome_init(Mesh *mesh, const HandshakeInit *init, const Payload *payload,
                               const uint8_t *psk, bool by_ticket, MeshError *ret_error) {
    uint8_t static_key[32];
    const Member *member = roster_find(&mesh->meeting.roster, &payload->key);
    Neighbour *neighbour;

    if (identity_static_of_key(&payload->key, static_key) ||
        !bytes_equal(static_key, init->initiator_static, 32)) {
        *ret_error = MESH_ERROR_FORGED;
        return NULL;
    }
    if ((member && member->expelled) || mesh_key_equal(&payload->key, &mesh->self.key)) {
        *ret_error = MESH_ERROR_FORBIDDEN;
        return NULL;
    }
    if (!neighbour_find(mesh, &payload->key) && !neighbours_make_room(mesh, !member)) {
        *ret_error = MESH_ERROR_FULL;
        return NULL;
    }
    neighbour = neighbour_want(mesh, &payload->key, psk, by_ticket);
    *ret_error = neighbour ? MESH_OK : MESH_ERROR_FULL;
    return neighbour;
}

/* Theirs most likely links both, so ours waits. But once: message 1 may be an old one repeated, and
 * must not hold ours back for good. */
static void yield(const Mesh *mesh, Neighbour *neighbour) {
    uint64_t until_us = mesh->now_us + YIELD_US;

    if (!neighbour->yielded && neighbour->contact_next_us < until_us) {
        neighbour->contact_next_us = until_us;
    }
    neighbour->yielded = true;
}

/* What came by hand leads to whoever wrote it by no other way. */
static void await_by_hand(Mesh *mesh, Neighbour *neighbour, Keys *keys, const Payload *payload) {
    keys->by_hand = true;
    neighbour->hand_until_us = mesh->now_us + HAND_US;
    neighbour->probe_next_us = mesh->now_us;
    for (size_t i = payload->address_count; i-- > 0;) {
        neighbour_add_address(neighbour, &payload->addresses[i]);
    }
}

MeshError contact_init(Mesh *mesh, const MeshPath *path, Bytes message) {
    HandshakeInit init;
    Payload payload;
    uint8_t hash[16];
    bool by_ticket;
    const uint8_t *psk = find_psk(mesh, message, &by_ticket);
    MeshError error = psk ? handshake_read(message, &mesh->self, &init) : MESH_ERROR_FOREIGN;
    Neighbour *neighbour;
    Keys *keys;

    if (error) {
        return error;
    }
    if (!read_payload(BYTES_AT(init.payload, init.payload_length), &payload)) {
        return MESH_ERROR_MALFORMED;
    }
    if (path->kind == MESH_PATH_RELAY && memcmp(path->ip, payload.key.bytes, SHORT_KEY_SIZE) != 0) {
        return MESH_ERROR_FORGED; /* the answer would go to somebody else */
    }
    neighbour = welcome_init(mesh, &init, &payload, psk, by_ticket, &error);
    if (!neighbour) {
        return error;
    }
    domain_hash(hash, sizeof hash, "init", message, BYTES_NONE);
    keys = keyring_answered(&neighbour->keyring, hash);
    if (!keys) {
        keys = answer(mesh, neighbour, &init, psk, &payload);
        if (keys) {
            memcpy(keys->hash, hash, sizeof hash);
            yield(mesh, neighbour);
        }
    }
    /* Whether or not it also knocked, and was answered by a way on which nothing comes back. */
    if (keys && path->kind == MESH_PATH_NONE) {
        await_by_hand(mesh, neighbour, keys, &payload);
    }
    sodium_memzero(&init, sizeof init);
    if (!keys || !keys->answer) {
        return MESH_ERROR_NO_MEMORY;
    }
    neighbour_transmit(mesh, path, BYTES_AT(keys->answer, keys->answer_length), LINK_CONTROL);
    return MESH_OK;
}

/* ---- the answer ---- */

static Neighbour *find_index(const Mesh *mesh, Bytes message) {
    uint8_t index[HANDSHAKE_INDEX_SIZE];

    handshake_index(message, index);
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && neighbour->contact == CONTACT_KNOCKING && neighbour->knock &&
            !memcmp(neighbour->knock->handshake.index, index, sizeof index)) {
            return neighbour_at(mesh, slot);
        }
    }
    return NULL;
}

MeshError contact_answer(Mesh *mesh, const MeshPath *path, Bytes message) {
    Neighbour *neighbour = find_index(mesh, message);
    uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE];
    size_t length;
    HandshakeKeys keys;
    Keys *added = NULL;
    Payload payload;
    MeshError error;

    if (!neighbour) {
        return MESH_ERROR_FOREIGN;
    }
    if (!route_may_be(mesh, path, neighbour)) {
        return MESH_ERROR_FORBIDDEN;
    }
    error =
        handshake_finish(&neighbour->knock->handshake, &mesh->self, message, bytes, &length, &keys);
    if (error) {
        return error;
    }
    if (!read_payload(BYTES_AT(bytes, length), &payload) ||
        !mesh_key_equal(&payload.key, &neighbour->key)) {
        error = MESH_ERROR_MALFORMED;
    } else if (!(added =
                     add_keys(mesh, neighbour, payload.phase, &keys, &payload, neighbour->psk))) {
        error = MESH_ERROR_NO_MEMORY;
    } else {
        added->own = true;
        for (size_t i = payload.address_count; i-- > 0;) {
            neighbour_add_address(neighbour, &payload.addresses[i]);
        }
        contact_forget(neighbour);
        error = contact_confirmed(mesh, neighbour, added) ? MESH_OK : MESH_ERROR_NO_MEMORY;
        if (!error && payload.greets) {
            neighbour_greeted(mesh, neighbour);
        }
        if (error) {
            neighbour->contact = CONTACT_IDLE;
        } else if (path->kind == MESH_PATH_NONE) {
            route_probe_all(mesh, neighbour); /* the answer came by hand: no way is known yet */
        } else {
            route_heard(mesh, neighbour, path, &(RouteSign){.kind = SESSION_ECHO});
            route_probe(mesh, neighbour, path);
        }
    }
    sodium_memzero(&keys, sizeof keys);
    return error;
}
