/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/admission.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/coder.h"
#include "mesh/core.h"
#include "mesh/memory.h"
#include "mesh/overlay/message.h"

#define RETRY_US (5 * S) /* after an ADMIT could not be written */

void admission_forget(Mesh *mesh, uint32_t slot) {
    free(mesh->admission.asks[slot]);
    mesh->admission.asks[slot] = NULL;
}

void admission_finish(Mesh *mesh) {
    join_finish(mesh);
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        admission_forget(mesh, slot);
    }
    sodium_memzero(&mesh->admission, sizeof mesh->admission);
}

static Invite *invite_of(Mesh *mesh, const Neighbour *neighbour) {
    for (size_t i = 0; i < mesh->meeting.roster.invite_count; i++) {
        Invite *invite = &mesh->meeting.roster.invites[i];

        if (invite->has_psk && bytes_equal(invite->psk, neighbour->psk, sizeof invite->psk)) {
            return invite;
        }
    }
    return NULL;
}

static void refuse(Mesh *mesh, uint32_t slot, MeshError reason) {
    uint8_t byte = (uint8_t)reason;

    neighbour_send(mesh, neighbour_at(mesh, slot), LINK_URGENT, UINT64_MAX, MESSAGE_REFUSE,
                   BYTES_AT(&byte, 1));
    admission_forget(mesh, slot);
}

/* What a ticket for this role leads to is not what was asked for; MESH_OK: it is. */
static MeshError compare_role(MeshRole role, const AdmissionAsk *ask) {
    if ((role == MESH_ROLE_RELAY) == ask->relay) {
        return MESH_OK;
    }
    return ask->relay ? MESH_ERROR_TICKET_MEMBER : MESH_ERROR_TICKET_RELAY;
}

/* A relay is given what it needs to knock and hail; what leads to no epoch key. */
static void welcome(Mesh *mesh, uint32_t slot, bool relay) {
    uint8_t body[MESH_HASH_SIZE + MESH_EPOCHS_MAX * 32];
    BytesWriter writer = bytes_writer(body, sizeof body);

    bytes_write(&writer, mesh->meeting.id.bytes, MESH_HASH_SIZE);
    for (size_t i = 0; !relay && i < mesh->meeting.key_count; i++) {
        bytes_write(&writer, mesh->meeting.keys[i].key, 32);
    }
    if (relay) {
        bytes_write(&writer, mesh->psk, sizeof mesh->psk);
    }
    neighbour_send(mesh, neighbour_at(mesh, slot), LINK_URGENT, UINT64_MAX,
                   relay ? MESSAGE_WELCOME_RELAY : MESSAGE_WELCOME,
                   BYTES_AT(body, bytes_written(&writer)));
    serve_offer(mesh, slot);
    sodium_memzero(body, sizeof body);
    admission_forget(mesh, slot);
}

static MeshError admit(Mesh *mesh, const Neighbour *neighbour, AdmissionAsk *ask) {
    const Invite *invite = invite_of(mesh, neighbour);
    const Member *known = roster_find(&mesh->meeting.roster, &neighbour->key);
    PublicAct act = {.kind = ACT_ADMIT};
    SealedAct name = {.kind = ACT_NAME, .text = BYTES_AT(ask->name, ask->name_length)};
    MeshError error = known && known->expelled ? MESH_ERROR_TICKET_REVOKED
                      : invite                 ? MESH_OK
                                               : MESH_ERROR_TICKET_REFUSED;

    if (!error) {
        error = roster_invite_state(invite, mesh->now_s);
    }
    if (!error) {
        error = compare_role(invite->role, ask);
    }
    if (!error && (ask->admitted || !roster_proof_is_valid(invite, &neighbour->key, ask->proof))) {
        error = MESH_ERROR_TICKET_REFUSED;
    }
    if (!error && mesh->meeting.roster.member_count == MESH_MEMBERS_MAX) {
        error = MESH_ERROR_FULL;
    }
    if (error) {
        return error;
    }
    act.admit.key = neighbour->key;
    memcpy(act.admit.ticket, invite->id, sizeof act.admit.ticket);
    memcpy(act.admit.proof, ask->proof, sizeof act.admit.proof);
    error = author_write(mesh, &act, name.text.length ? &name : NULL, (AuthorAnswer){0},
                         &mesh->admission.admitting);
    ask->admitted = !error;
    return error;
}

/* One who is in the roster. */
static void answer_member(Mesh *mesh, uint32_t slot, const Member *member) {
    MeshError error = compare_role(member->role, mesh->admission.asks[slot]);

    if (error) {
        refuse(mesh, slot, error);
    } else {
        welcome(mesh, slot, member->role == MESH_ROLE_RELAY);
    }
}

/* Answers whoever asks: those admitted by now, then one more. */
static void step(Mesh *mesh) {
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *neighbour = neighbour_at(mesh, slot);
        AdmissionAsk *ask = mesh->admission.asks[slot];
        const Member *member = ask && neighbour ? core_member(mesh, &neighbour->key) : NULL;
        MeshError error;

        if (!ask || !neighbour) {
            continue;
        }
        if (member) {
            answer_member(mesh, slot, member);
        } else if (mesh_hash_is_zero(&mesh->admission.admitting)) {
            error = admit(mesh, neighbour, ask);
            if (error == MESH_ERROR_FULL || error >= MESH_ERROR_TICKET_MISTYPED) {
                refuse(mesh, slot, error);
            } else if (error) {
                mesh->admission.retry_us = mesh->now_us + RETRY_US; /* for a key, or memory */
            }
        }
    }
}

MeshError admission_join(Mesh *mesh, uint32_t slot, Bytes body, bool relay) {
    const Neighbour *neighbour = neighbour_at(mesh, slot);
    size_t name_length = body.length - DOMAIN_SIGNATURE_SIZE;
    AdmissionAsk *ask;

    if (body.length < DOMAIN_SIGNATURE_SIZE || name_length > (relay ? 0 : MESH_NAME_MAX)) {
        return MESH_ERROR_MALFORMED;
    }
    if (mesh->status != MESH_STATUS_MEMBER || mesh->relay || (relay && !mesh->has_psk) ||
        (!neighbour->by_ticket && !core_member(mesh, &neighbour->key))) {
        return MESH_ERROR_FORBIDDEN;
    }
    admission_forget(mesh, slot);
    ask = calloc(1, sizeof *ask);
    if (!ask) {
        return MESH_ERROR_NO_MEMORY;
    }
    memcpy(ask->proof, body.data, sizeof ask->proof);
    memcpy(ask->name, body.data + DOMAIN_SIGNATURE_SIZE, name_length);
    ask->relay = relay;
    ask->name_length = coder_text_is_valid(ask->name, name_length) ? name_length : 0;
    mesh->admission.asks[slot] = ask;
    step(mesh);
    return MESH_OK;
}

void admission_answer_wanted(Mesh *mesh, const MeshIntent *intent) {
    uint8_t bytes[MESH_DATAGRAM_MAX];
    char code[MESH_CODE_MAX + 1];
    MeshPath by_hand = {.kind = MESH_PATH_NONE};
    size_t length;
    const Keys *keys = NULL;
    uint8_t hash[16];
    MeshError error = ticket_code_read(ADMISSION_CODE_ASKS, intent->text ? intent->text : "", bytes,
                                       sizeof bytes, &length);

    if (!error) {
        error = contact_init(mesh, &by_hand, BYTES_AT(bytes, length));
        domain_hash(hash, sizeof hash, "init", BYTES_AT(bytes, length), BYTES_NONE);
    }
    for (uint32_t slot = 0; !error && !keys && slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *other = neighbour_at(mesh, slot);

        keys = other ? keyring_answered(&other->keyring, hash) : NULL;
    }
    if (!error && !keys) {
        error = MESH_ERROR_STATE;
    }
    if (error == MESH_ERROR_FOREIGN) {
        error = MESH_ERROR_TICKET_REFUSED;
    }
    if (!error) {
        error = ticket_code_write(ADMISSION_CODE_ANSWERS,
                                  BYTES_AT(keys->answer, keys->answer_length), code);
    }
    core_done(mesh, intent->tag, error, NULL, error ? NULL : code);
}

void admission_settled(Mesh *mesh, const MeshHash *hash, MeshError error) {
    if (!mesh_hash_equal(hash, &mesh->admission.admitting)) {
        return;
    }
    mesh->admission.admitting = (MeshHash){{0}};
    for (uint32_t slot = 0; error && slot < MESH_PEERS_MAX; slot++) {
        if (mesh->admission.asks[slot]) {
            mesh->admission.asks[slot]->admitted = false;
            mesh->admission.retry_us = mesh->now_us + RETRY_US;
        }
    }
}

void admission_timeout(Mesh *mesh) {
    if (mesh->admission.retry_us && mesh->now_us >= mesh->admission.retry_us) {
        mesh->admission.retry_us = 0;
        admission_update(mesh);
    }
    join_timeout(mesh);
}

uint64_t admission_deadline_us(const Mesh *mesh) {
    uint64_t retry_us = mesh->admission.retry_us ? mesh->admission.retry_us : UINT64_MAX;
    uint64_t join_us = join_deadline_us(mesh);

    return join_us < retry_us ? join_us : retry_us;
}

void admission_update(Mesh *mesh) {
    join_update(mesh);
    if (mesh->status == MESH_STATUS_MEMBER) {
        step(mesh);
    }
}
