/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Coming in: a joiner proves that it holds a ticket, a member judges the ticket and writes ADMIT.
 * It owns the joiner's ticket and those who ask. It never trusts a meeting before an INVITE signed
 * by the ticket's inviter is in its journal.
 */
#pragma once

#include "mesh/link/handshake.h"
#include "mesh/ticket.h"

#define ADMISSION_CODE_ASKS    "join" /* kinds of codes carried by hand */
#define ADMISSION_CODE_ANSWERS "answer"
#define JOIN_WORD_RELAY        "relay" /* of the state that a relay keeps */

typedef enum {
    ADMISSION_NONE,
    ADMISSION_SEEKING, /* a member is looked for, or was asked */
    ADMISSION_BY_HAND, /* the same, by codes that people carry */
} AdmissionState;

/* Someone who asked to be admitted. */
typedef struct {
    uint8_t proof[DOMAIN_SIGNATURE_SIZE];
    size_t name_length;
    char name[MESH_NAME_MAX];
    bool relay;    /* it is to carry */
    bool admitted; /* our ADMIT was written: if it counts for nothing, no other would */
} AdmissionAsk;

typedef struct {
    AdmissionState state;
    Ticket ticket;
    uint8_t psk[HANDSHAKE_PSK_SIZE];
    bool answers; /* an intent waits for the end */
    uint64_t tag;
    bool welcomed;
    uint8_t *early; /* owned: entries that overtook the WELCOME: slot u8, length u16, bytes */
    size_t early_length;
    uint8_t hand_seed[32];
    uint8_t hand_payload[HANDSHAKE_PAYLOAD_SIZE];
    size_t hand_payload_length;
    bool hand_given; /* a code of ours was carried away, with this index; true after the end too */
    uint8_t hand_index[HANDSHAKE_INDEX_SIZE];
    AdmissionAsk *asks[MESH_PEERS_MAX];
    uint64_t join_us;   /* the next member may be asked then */
    uint32_t join_turn; /* slot asked last */
    MeshHash admitting; /* our ADMIT not yet applied: one at a time, so that uses count */
    uint64_t retry_us;  /* those who ask are looked at again then; 0: no */
} Admission;

void admission_finish(Mesh *mesh);
void admission_forget(Mesh *mesh, uint32_t slot);
/* The person answers the code of a joiner. */
void admission_answer_wanted(Mesh *mesh, const MeshIntent *intent);
/* The roster may have changed. */
void admission_update(Mesh *mesh);
/* An entry of ours is applied, or could not be stored. */
void admission_settled(Mesh *mesh, const MeshHash *hash, MeshError error);
void admission_timeout(Mesh *mesh);
uint64_t admission_deadline_us(const Mesh *mesh);
/* It asks to be admitted, as a relay or as anyone else. */
MeshError admission_join(Mesh *mesh, uint32_t slot, Bytes body, bool relay);

/* ---- join.c: the joiner ---- */

void join_wanted(Mesh *mesh, const MeshIntent *intent);
void join_accept_wanted(Mesh *mesh, const MeshIntent *intent);
/* A join that a restart interrupted. */
void join_loaded(Mesh *mesh, Bytes value);
/* This node is a relay, or is to be. */
void join_relay_loaded(Mesh *mesh, Bytes value);
/* All was loaded. */
void join_begin(Mesh *mesh);
/* A neighbour is linked: it may be asked to admit us. */
void join_greet(Mesh *mesh, uint32_t slot);
/* An entry while it is not known of which meeting: it is looked at once that is. */
MeshError join_early(Mesh *mesh, uint32_t slot, Bytes body);
MeshError join_welcome(Mesh *mesh, uint32_t slot, Bytes body);
MeshError join_welcome_relay(Mesh *mesh, uint32_t slot, Bytes body);
MeshError join_refuse(Mesh *mesh, uint32_t slot, Bytes body);
/* We may be in the roster now. */
void join_update(Mesh *mesh);
void join_finish(Mesh *mesh);
void join_timeout(Mesh *mesh);
uint64_t join_deadline_us(const Mesh *mesh);
