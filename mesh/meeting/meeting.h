/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The meeting as its journal tells it: a fold, so that the same entries give the same meeting on
 * every node in any order of arrival.
 * It owns roster, epoch keys, messages, voices, announced documents, motions and hands. It never
 * writes an entry.
 */
#pragma once

#include "mesh/meeting/hand.h"
#include "mesh/meeting/motion.h"
#include "mesh/meeting/roster.h"
#include "mesh/meeting/voice.h"

typedef struct {
    MeshHash id;
    MeshKey author;
    uint64_t height;
    uint64_t sent_at_ms;
    bool voice; /* its parts are in `voices`; the text is empty */
    char *text;
} Message;

typedef struct {
    MeshHash id; /* of the entry that announced it */
    MeshKey author;
    uint64_t height;
    uint8_t blob[ACT_DOCUMENT_ID_SIZE];
    MeshHash root;
    uint64_t size;
    uint8_t key[32];
    char *name;
} Announced;

/* A key that an ADMIT named, and the ticket it named beside it. */
typedef struct {
    MeshKey key;
    uint8_t ticket[ACT_TICKET_ID_SIZE];
    bool writes; /* an INVITE made that ticket for others than relays; or it is the founder */
} MeetingAuthor;

typedef struct {
    uint8_t id[ACT_TICKET_ID_SIZE];
} MeetingTicket;

typedef struct {
    MeshHash id;
    char *title;
    char *profile;
    Roster roster;
    MeetingAuthor *authors; /* whose entries may be applied; see meeting_allows */
    size_t author_count, author_capacity;
    MeetingTicket *tickets; /* not for relays, void ones included */
    size_t ticket_count, ticket_capacity;
    EpochKey *keys; /* at most MESH_EPOCHS_MAX; secret */
    size_t key_count, key_capacity;
    Message *messages; /* by height, then hash */
    size_t message_count, message_capacity;
    Announced *documents; /* the same */
    size_t document_count, document_capacity;
    Motions motions;
    Voices voices;
    Hands hands;
} Meeting;

/* What an entry changed, for whoever looks. */
typedef struct {
    MeshNotice notice;
    bool any;      /* something changed */
    bool refold;   /* what was folded before means something else now: meeting_refold */
    MeshKey key;   /* MEMBER, HAND: whose */
    MeshHash hash; /* MESSAGE (of a voice message its first part), DOCUMENT, MOTION */
} MeetingChange;

/* Of memory that is zeroed, as calloc gives it, nothing more is to be initialised. */
void meeting_init(Meeting *meeting);
void meeting_finish(Meeting *meeting);
/* Forgets what was folded; keys stay. */
void meeting_reset(Meeting *meeting);

/* Keeps an epoch key; false when known already, there are too many, or
 * memory is short. */
bool meeting_add_key(Meeting *meeting, const uint8_t bytes[32]);
const EpochKey *meeting_key(const Meeting *meeting, const uint8_t id[ENTRY_KEY_ID_SIZE]);
/* The key to seal under now; NULL when we do not have it yet. */
const EpochKey *meeting_current_key(const Meeting *meeting);

/*
 * Whether an entry may be applied: it is this meeting's GENESIS, or an applied ADMIT names its
 * author and a ticket that an applied INVITE made, not for a relay. Even acts that count for
 * nothing: so the journals of all nodes grow alike, whatever each knew of expulsions and forks
 * when. What is allowed stays so; what a relay writes never is.
 */
bool meeting_allows(const Meeting *meeting, const Entry *entry);

/* Folds one applied entry, in any order. `tag` names its chain, `cut`: it lies behind a fork. */
MeetingChange meeting_fold(Meeting *meeting, const Entry *entry, uint64_t height,
                           const uint8_t tag[JOURNAL_TAG_SIZE], bool cut);

/*
 * Folds all that is applied again, in the common order: after a fold that asks for it, a fork, or
 * a new epoch key. Costs about as much as opening every entry: when several are folded in a row,
 * once at their end. False when memory is short: nothing changed, to be tried again.
 */
bool meeting_refold(Meeting *meeting, const Journal *journal);

const Announced *meeting_document(const Meeting *meeting, const MeshHash *id);
