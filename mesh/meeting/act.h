/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What an entry says: its public act (what anyone who carries the journal may verify) and its
 * sealed act (what only members read), as CBOR arrays led by their kind.
 * It owns the encoding. It never decides whether an act counts.
 */
#pragma once

#include "mesh/journal/journal.h"

#define ACT_TICKET_ID_SIZE   16
#define ACT_DOCUMENT_ID_SIZE 16
#define ACT_VOTER_SIZE       8  /* first bytes of a voter's key */
#define ACT_BALLOT_SIZE      16 /* first bytes of a ballot's hash */

typedef enum {
    ACT_NONE = 0,
    /* public */
    ACT_GENESIS = 1,
    ACT_INVITE = 2,
    ACT_ADMIT = 3,
    ACT_EXPEL = 4,
    /* sealed */
    ACT_TITLE = 16,
    ACT_TICKET = 17,
    ACT_NAME = 18,
    ACT_MESSAGE = 19,
    ACT_DOCUMENT = 20,
    ACT_MOTION = 21,
    ACT_BALLOT = 22,
    ACT_CLOSE = 23,
    ACT_VOICE = 24,
    ACT_HAND = 25,
} ActKind;

/* The last entry of a chain that still counts: `count` entries of it do. */
typedef struct {
    uint8_t tag[JOURNAL_TAG_SIZE];
    uint64_t count;
} ActCut;

typedef struct {
    ActKind kind;
    union {
        struct {
            Bytes profile;
        } genesis;
        struct {
            uint8_t ticket[ACT_TICKET_ID_SIZE];
            uint8_t public_key[32];
            MeshRole role;
            uint32_t uses;
            uint64_t expires_at;
        } invite;
        struct {
            MeshKey key;
            uint8_t ticket[ACT_TICKET_ID_SIZE];
            uint8_t proof[DOMAIN_SIGNATURE_SIZE]; /* the ticket key over the device key */
        } admit;
        struct {
            bool has_key; /* false: only tickets are revoked */
            MeshKey key;
            bool all_tickets;
            uint8_t ticket[ACT_TICKET_ID_SIZE];
            size_t cut_count;
            ActCut cuts[MESH_CUTS_MAX];
            bool has_epoch; /* a new epoch begins, under the key of this id */
            uint8_t epoch_key_id[ENTRY_KEY_ID_SIZE];
        } expel;
    };
} PublicAct;

typedef struct {
    ActKind kind;
    uint64_t at_ms; /* the author's clock, shown, never used */
    union {
        Bytes text;      /* TITLE, NAME, MESSAGE */
        uint8_t psk[32]; /* TICKET */
        struct {
            uint8_t id[ACT_DOCUMENT_ID_SIZE];
            MeshHash root;
            uint64_t size;
            uint8_t key[32];
            Bytes name;
        } document;
        struct {
            Bytes text;
            size_t choice_count;
            Bytes choices[MESH_CHOICES_MAX];
            size_t voter_count;
            uint8_t voters[MESH_MEMBERS_MAX][ACT_VOTER_SIZE];
        } motion;
        struct {
            MeshHash motion;
            uint32_t choice;
        } ballot;
        struct {
            MeshHash motion;
            size_t ballot_count;
            uint8_t ballots[MESH_MEMBERS_MAX][ACT_BALLOT_SIZE]; /* strictly increasing */
        } close;
        struct {
            MeshHash message; /* the entry of part 0; zeros: this is it */
            MeshVoicePart part;
        } voice;
        struct {
            bool up;
            bool other; /* the chair lowers the hand of `member`; else it is the author's */
            MeshKey member;
        } hand;
    };
} SealedAct;

/* Bytes written into `ret_bytes[MESH_ENTRY_MAX]`, 0 when it does not fit. */
size_t act_write_public(const PublicAct *act, uint8_t *ret_bytes);
size_t act_write_sealed(const SealedAct *act, uint8_t *ret_bytes);

/* MALFORMED unless the bytes are one act, in its one encoding. Empty bytes are ACT_NONE. */
MeshError act_read_public(Bytes bytes, PublicAct *ret_act);
/* A kind not known to this version is read as ACT_NONE, so that newer nodes may say more. */
MeshError act_read_sealed(Bytes bytes, SealedAct *ret_act);
