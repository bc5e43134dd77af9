/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who is in the meeting, by which ticket, and under which key it is sealed now: a fold over the
 * public acts. It owns members, tickets, expulsions and epoch keys. It never reads a clock: expiry
 * is judged once, by whoever admits.
 *
 * What counts is what the acts say when they are folded in the common order of places. Those that
 * come late are folded as they come when that makes no difference, which is nearly always.
 */
#pragma once

#include "mesh/meeting/act.h"

typedef struct {
    MeshKey key;
    MeshRole role;
    bool expelled;
    bool forked;
    uint8_t ticket[ACT_TICKET_ID_SIZE]; /* zeros: the founder */
    Place admitted;                     /* of the act that admitted it; later acts of it count */
    char *name;                         /* owned; NULL: it has none */
    Place *named; /* of the act that named it, owned; NULL: by that which admitted it */
} Member;

typedef struct {
    uint8_t id[ACT_TICKET_ID_SIZE];
    uint8_t public_key[32];
    MeshKey author;
    Place place;
    MeshRole role;
    uint32_t uses;
    uint32_t used;
    uint64_t expires_at;
    bool revoked;
    bool has_psk;
    uint8_t psk[32];
} Invite;

typedef struct {
    Member *members; /* in the common order of their admissions; at most MESH_MEMBERS_MAX */
    size_t member_count, member_capacity;
    uint16_t by_key[MESH_MEMBERS_MAX]; /* their places, in the order of their keys, */
    uint64_t ranks[MESH_MEMBERS_MAX];  /* and these, see bytes_rank */
    Invite *invites;                   /* at most MESH_INVITES_MAX */
    size_t invite_count, invite_capacity;
    MeshKey *expelled; /* members or not; at most MESH_MEMBERS_MAX */
    size_t expelled_count, expelled_capacity;
    ActCut *cuts; /* at most MESH_ROSTER_CUTS_MAX */
    size_t cut_count, cut_capacity;
    Place revoked;                          /* the last act that revoked tickets */
    bool orphaned;                          /* an ADMIT counted for nothing: no such ticket yet */
    uint32_t epoch;                         /* expulsions that began a new one */
    uint8_t current_key[ENTRY_KEY_ID_SIZE]; /* of the epoch that counts */
    Place current;                          /* of the act that began it */
    size_t key_count;                       /* of all epochs */
    uint8_t keys[MESH_EPOCHS_MAX][ENTRY_KEY_ID_SIZE];
} Roster;

/* Empties the fold. Of memory that is zeroed nothing is to be initialised. */
void roster_reset(Roster *roster);
void roster_finish(Roster *roster);

/* Its place among the members; member_count: it is none. */
size_t roster_place(const Roster *roster, const MeshKey *key);
Member *roster_find(Roster *roster, const MeshKey *key);
/* Whether a key in it begins so, be it of an expelled one. */
bool roster_has_short(const Roster *roster, const uint8_t key[SHORT_KEY_SIZE]);
Invite *roster_invite(Roster *roster, const uint8_t id[ACT_TICKET_ID_SIZE]);
/* Members not expelled; of them those who are people, relays left out. */
size_t roster_size(const Roster *roster);
size_t roster_people(const Roster *roster);
/* Its name; empty when it has none. */
const char *roster_name(const Member *member);
/* Names it by an act at this place, unless a later one did. False: nothing changed. */
bool roster_set_name(Member *member, const Place *place, Bytes name);
/* The member, when what it wrote at this place counts: it was admitted before; else NULL. */
Member *roster_author(Roster *roster, const MeshKey *key, const Place *place);

/*
 * Applies a public act whose entry stands at `place`. False when the act counts for nothing (its
 * author lacks the rank, a proof is wrong, a table is full, memory is short). `ret_refold`: in the
 * common order it says something else about what is folded already, so that everything must be
 * folded again.
 */
bool roster_apply(Roster *roster, const Entry *entry, const Place *place, const PublicAct *act,
                  bool *ret_refold);

/*
 * Notes whom the founder's EXPEL cuts off, and where: known before anything is folded, it cuts
 * what stands before the EXPEL too. True when that was not known yet.
 */
bool roster_note_expulsion(Roster *roster, const MeshKey *founder, const PublicAct *act);

/* The entry lies beyond the cut that an expulsion made in its author's chains. */
bool roster_is_cut(const Roster *roster, const MeshKey *author, const uint8_t tag[JOURNAL_TAG_SIZE],
                   uint64_t sequence);

/* What the ticket key signs to vouch for a device. */
bool roster_proof_is_valid(const Invite *invite, const MeshKey *device,
                           const uint8_t proof[DOMAIN_SIGNATURE_SIZE]);
/* Why this ticket admits nobody now; MESH_OK when it does. */
MeshError roster_invite_state(const Invite *invite, uint64_t now_s);
