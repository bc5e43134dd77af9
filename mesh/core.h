/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of a Mesh: the state that the files of mesh/ share.
 * It owns everything a Mesh owns. It is never included from outside mesh/.
 */
#pragma once

#include "mesh/effect.h"
#include "mesh/journal/author.h"
#include "mesh/journal/budget.h"
#include "mesh/journal/draft.h"
#include "mesh/journal/library.h"
#include "mesh/journal/sync.h"
#include "mesh/meeting/admission.h"
#include "mesh/meeting/meeting.h"
#include "mesh/overlay/company.h"
#include "mesh/overlay/forward.h"
#include "mesh/overlay/hush.h"
#include "mesh/overlay/live.h"
#include "mesh/overlay/map.h"
#include "mesh/overlay/nearby.h"
#include "mesh/overlay/neighbour.h"
#include "mesh/overlay/porter.h"
#include "mesh/overlay/reach.h"
#include "mesh/overlay/stream.h"
#include "mesh/overlay/uplink.h"

#define MS 1000ull
#define S  1000000ull

#define CORE_WORD_KEY "key" /* before the id of an epoch key, as the word of a STATE item */

/* What a PERSIST was for, to be gone on with when it is on disk; in the order of tokens. */
typedef enum {
    PENDING_STATE,    /* nothing follows */
    PENDING_OWN,      /* an entry of ours: apply, tell everyone, answer the person */
    PENDING_RECEIVED, /* an entry received: apply */
    PENDING_BLOCK,    /* a block received of a document */
    PENDING_LEAF,     /* a block of a document being added: answer the person */
    PENDING_DONE,     /* answer the person */
} PendingKind;

typedef struct {
    uint64_t token;
    PendingKind kind;
    uint64_t tag;         /* of the intent to answer, with `answer` */
    bool answer;          /* this PERSIST ends the intent */
    MeshHash hash;        /* of the entry; the answer's hash */
    bool answers_meeting; /* the answer's hash is the meeting's id */
    uint8_t *bytes;       /* of an entry; owned */
    size_t length;
    BlobPlace place;                        /* BLOCK */
    uint8_t document[ACT_DOCUMENT_ID_SIZE]; /* BLOCK, LEAF */
    char *text;                             /* of the answer; owned, may be NULL */
} Pending;

struct Mesh {
    Identity self;
    char name[MESH_NAME_MAX + 1];
    MeshRandom random;
    void *random_context;
    uint64_t document_fetch_max, store_max;

    uint64_t now_us;
    uint64_t now_s;
    bool loading; /* until LOADED_END */
    MeshStatus status;
    MeshCounters counters;
    Effects effects;

    Pending *pending;
    size_t pending_head, pending_count, pending_capacity;
    uint64_t next_token;

    Journal *journal;
    Meeting meeting;
    uint8_t psk[HANDSHAKE_PSK_SIZE]; /* of the members; from the first epoch key */
    bool has_psk;
    bool relay;    /* this node is here to carry: it holds no epoch key, and writes nothing */
    Budget budget; /* of what it keeps */
    Author author;
    Sync sync;
    Drafts drafts;
    Library library;
    Admission admission;
    Neighbours neighbours;
    Map map;
    Uplink uplink;
    Reach reach;
    Porter porter;
    Company company;
    Hush hush;
    Feed feed;
    Live live;
    Streams streams;
    uint64_t hand_paid_us; /* until then this person's hand has moved in advance */
};

/* ---- effects ---- */

void core_random(Mesh *mesh, void *ret_bytes, size_t length);
void core_notify(Mesh *mesh, MeshNotice notice, const MeshHash *hash, const MeshKey *key);
/* Its link came, went or moved. */
void core_notify_peer(Mesh *mesh, const MeshKey *key, MeshEnd end);
/* Ends an intent. */
void core_done(Mesh *mesh, uint64_t tag, MeshError error, const MeshHash *hash, const char *text);
/*
 * Asks for storage; `pending` tells what follows, its bytes and text are taken over. False when
 * memory is short: nothing follows, but an answer was given.
 */
bool core_persist(Mesh *mesh, MeshItemKind kind, Bytes key, Bytes value, Pending pending);
/* From the store: an item, at start; all of them; a PERSIST is on disk, or is not. */
MeshError kept_load(Mesh *mesh, const MeshItem *item);
void kept_loaded(Mesh *mesh);
void kept_stored(Mesh *mesh, uint64_t token);
void kept_failed(Mesh *mesh, uint64_t token);
/* Keeps a secret word of the Mesh's own state. */
void core_keep(Mesh *mesh, const char *word, Bytes value);
void core_forget(Mesh *mesh, MeshItemKind kind, Bytes key);

/* ---- the meeting ---- */

/* Whether an entry with this hash is on its way to the disk. */
bool core_is_storing(const Mesh *mesh, const MeshHash *hash);
/* Whether entries of others may be taken now: no more wait for the disk than MESH_PENDING_MAX. */
bool core_has_room(const Mesh *mesh);
/* Applies whatever can be applied now and tells what changed. */
void core_apply(Mesh *mesh);
/* Whoever depends on who is in the roster looks again. */
void core_roster_changed(Mesh *mesh);
/* Keeps an epoch key, on disk too; what was sealed under it is folded again. */
void core_learn_key(Mesh *mesh, const uint8_t bytes[32]);
/* Our own entry in the roster, NULL when not a member. */
Member *core_self(Mesh *mesh);
/* A member not expelled. */
Member *core_member(Mesh *mesh, const MeshKey *key);
/* A member not expelled that is here to carry. */
bool core_is_relay(Mesh *mesh, const MeshKey *key);
/* Acts the person (or the node) wants; in intent.c. */
void intent_step(Mesh *mesh, const MeshIntent *intent);
