/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The façade: one Mesh is this node's part in one meeting; an event goes in, effects come out.
 * It owns the identity, the links, the journal and the meeting computed from it. It never touches
 * a socket, a clock, a file or a thread: time comes with each event, randomness with the options,
 * and everything it wants done is an effect. The same options and events give the same effects,
 * byte for byte.
 *
 * How a node uses it: create; for a stored meeting give every stored item back as LOADED, in the
 * order of kinds and of one kind in the order kept, then LOADED_END (for a new one LOADED_END at
 * once); then forever: step each event, pull all effects, commit what PERSIST wrote and step
 * STORED, wait until the deadline and step TIMEOUT.
 */
#pragma once

#include "mesh/error.h"
#include "mesh/limits.h"
#include "mesh/path.h"

#define MESH_KEY_SIZE  32 /* Ed25519 public key: the name of a device */
#define MESH_HASH_SIZE 32 /* BLAKE2b-256 */
#define MESH_SEED_SIZE 32

typedef struct Mesh Mesh;

typedef struct {
    uint8_t bytes[MESH_KEY_SIZE];
} MeshKey;

typedef struct {
    uint8_t bytes[MESH_HASH_SIZE];
} MeshHash;

/* Fills `ret_bytes` with random bytes. */
typedef void (*MeshRandom)(void *context, uint8_t *ret_bytes, size_t length);

typedef struct {
    uint8_t device_seed[MESH_SEED_SIZE]; /* of the node's Ed25519 key; copied, wiped at the end */
    const char *name;                    /* the person's, UTF-8, at most MESH_NAME_MAX bytes */
    MeshRandom random;
    void *random_context;
    uint64_t now_us;             /* monotonic */
    uint64_t document_fetch_max; /* documents up to this size are fetched unasked, bytes */
    uint64_t store_max;          /* bytes of entries a relay keeps; 0: MESH_STORE_MAX */
} MeshOptions;

typedef enum {
    MESH_ROLE_FOUNDER = 0, /* presides; rank falls with the number */
    MESH_ROLE_MEMBER = 1,
    MESH_ROLE_GUEST = 2,    /* speaks, does not vote */
    MESH_ROLE_OBSERVER = 3, /* listens */
    MESH_ROLE_RELAY = 4,    /* carries, and holds no key of the meeting */
} MeshRole;

/* ---- what the store keeps ---- */

typedef enum {
    MESH_ITEM_STATE = 1, /* key: a word; value: secret, the newest replaces */
    MESH_ITEM_ENTRY = 2, /* key: entry hash; value: the sealed, signed entry; never replaced */
    MESH_ITEM_BLOCK = 3, /* key: document id, level u8, index u32; value: one sealed block */
} MeshItemKind;

typedef struct {
    MeshItemKind kind;
    const uint8_t *key;
    size_t key_length; /* 1 … MESH_ITEM_KEY_MAX */
    const uint8_t *value;
    size_t value_length;
} MeshItem;

/* ---- intents: what the person wants; each ends with one DONE effect of the same tag ---- */

typedef enum {
    MESH_INTENT_CREATE, /* title, profile → DONE.hash: meeting id */
    MESH_INTENT_JOIN, /* text: ticket; by_hand; role: RELAY to carry, else any → DONE when admitted
                         (by hand: DONE.text, a code). A member only says ALREADY_MEMBER when the
                         ticket is of its meeting. Whoever is here as a relay is refused what is
                         said, voted or shown: RELAY */
    MESH_INTENT_ANSWER, /* text: code of a joiner → DONE.text: the code for it */
    MESH_INTENT_ACCEPT, /* text: code of the answer → DONE when admitted */
    MESH_INTENT_INVITE, /* role, uses, expires_at → DONE.text: ticket */
    MESH_INTENT_EXPEL,  /* key (all zero: nobody, only tickets), hash: ticket (all zero: all) */
    MESH_INTENT_SAY,    /* text → DONE.hash: message id */
    MESH_INTENT_VOICE,  /* voice, hash: message id (all zero: part 0 begins one) → DONE.hash: of
                           part 0 the message id. Each part when the one before is done */
    MESH_INTENT_DOCUMENT_BEGIN, /* text: name, size → DONE.hash: a handle (16 bytes, rest zero) */
    MESH_INTENT_DOCUMENT_LEAF,  /* hash: handle, bytes: the next 4096 bytes, fewer in the last */
    MESH_INTENT_DOCUMENT_END,   /* hash: handle → DONE.hash: document id (the entry's hash) */
    MESH_INTENT_DOCUMENT_CANCEL, /* hash: handle: what was added is forgotten */
    MESH_INTENT_DOCUMENT_FETCH,  /* hash: document id: fetch it now, whatever its size */
    MESH_INTENT_IMPORT,       /* bytes: an entry carried by hand; DONE: REPLAYED when it is here */
    MESH_INTENT_MOTION_OPEN,  /* text, choices → DONE.hash: motion id */
    MESH_INTENT_VOTE,         /* hash: motion, choice */
    MESH_INTENT_MOTION_CLOSE, /* hash: motion */
    MESH_INTENT_HAND, /* up; down also with key: another's, which the founder lowers. FULL: so often
                         it is refused for a moment */
    MESH_INTENT_STREAM_START, /* stream_kind: our voice or video begins */
    MESH_INTENT_STREAM_STOP,  /* stream_kind */
    MESH_INTENT_CEILING,      /* size: bits a second this node may send, headers included; 0: any */
    MESH_INTENT_KEYFRAME,     /* stream: someone's video, which cannot be shown before a keyframe */
} MeshIntentKind;

/* As in media/protocol.h, whose numbers these are. */
typedef enum {
    MESH_STREAM_VOICE = 1,
    MESH_STREAM_VIDEO = 2,
    MESH_STREAM_SCREEN = 3,
} MeshStreamKind;

/*
 * A piece of a voice message, which is recorded and sent part by part. `frames`: those of one
 * codec, back to back; mesh_voice_frame reads them, mesh_voice_append writes them.
 */
typedef struct {
    uint32_t number; /* from 0, below MESH_VOICE_PARTS_MAX */
    bool last;
    uint8_t codec;    /* as in MeshFrame; nothing here depends on it */
    uint32_t from_ms; /* where its first frame stands in the message */
    Bytes frames;     /* at most MESH_VOICE_FRAMES_MAX bytes */
} MeshVoicePart;

/* One frame of a part. */
typedef struct {
    uint32_t at_ms;      /* where it stands in the message */
    uint8_t duration_ms; /* 1 … MESH_VOICE_FRAME_MS_MAX */
    Bytes payload;       /* at least one byte */
} MeshVoiceFrame;

typedef struct {
    MeshIntentKind kind;
    uint64_t tag;               /* of the caller, given back in DONE */
    uint64_t at_ms;             /* Unix time of the person's act, for display only */
    const char *text;           /* UTF-8, terminated */
    const char *profile;        /* CREATE: "meeting", "council" or "webinar" */
    const char *const *choices; /* MOTION_OPEN: NULL-terminated; NULL: pour, contre, abstention */
    const char *choice;
    MeshHash hash;
    MeshKey key;
    MeshRole role;
    uint32_t uses;
    uint64_t expires_at; /* Unix seconds */
    uint64_t size;
    Bytes bytes;
    bool by_hand;
    bool up; /* HAND */
    MeshStreamKind stream_kind;
    uint32_t stream; /* this node's number for it */
    MeshVoicePart voice;
} MeshIntent;

/* One encoded frame of a live stream; see media/protocol.h. */
typedef struct {
    MeshStreamKind kind;
    uint32_t number;
    uint32_t media_time_ms;
    uint16_t duration_ms;
    uint8_t flags; /* 1: decodable without any earlier one */
    uint8_t codec; /* of the payload, at most 15; nothing here depends on it */
    uint8_t level;
    Bytes payload; /* at most MESH_FRAME_MAX */
} MeshFrame;

/* ---- events ---- */

typedef enum {
    MESH_EVENT_TIMEOUT,   /* the deadline has come */
    MESH_EVENT_DATAGRAM,  /* path, bytes */
    MESH_EVENT_ADDRESSES, /* addresses: this node's own knock addresses, replacing the former */
    MESH_EVENT_ICE_OFFER, /* agent, bytes: its local offer, gathered */
    MESH_EVENT_ICE_UP,    /* agent: datagrams may pass */
    MESH_EVENT_ICE_DOWN,  /* agent: failed; it is gone */
    MESH_EVENT_LOADED,    /* item; before LOADED_END; of a BLOCK only the key matters */
    MESH_EVENT_LOADED_END,
    MESH_EVENT_STORED,       /* token: this PERSIST and all before it are on disk */
    MESH_EVENT_STORE_FAILED, /* token: this PERSIST and all since the last STORED are not */
    MESH_EVENT_FETCHED,      /* token, bytes (NULL when absent) */
    MESH_EVENT_INTENT,       /* intent */
    MESH_EVENT_FRAME,        /* frame: our own, to be sent */
    MESH_EVENT_WAKE,         /* the machine slept or its network changed: probe everything now */
    MESH_EVENT_LEAVE, /* this node goes: its neighbours are told, and this is its last step */
} MeshEventKind;

typedef struct {
    MeshEventKind kind;
    uint64_t now_us; /* monotonic, never back */
    uint64_t now_s;  /* Unix seconds; only a ticket's expiry is judged by it, when admitting */
    union {
        struct {
            MeshPath path;
            const uint8_t *bytes;
            size_t length;
        } datagram;
        struct {
            const MeshPath *paths;
            size_t count;
        } addresses;
        struct {
            uint32_t agent;
            Bytes offer; /* OFFER only */
        } ice;
        MeshItem item;
        struct {
            uint64_t token;
            Bytes bytes;
        } stored; /* STORED, STORE_FAILED, FETCHED */
        const MeshIntent *intent;
        MeshFrame frame;
    };
} MeshEvent;

/* ---- effects; their pointers are valid until the next call on this Mesh ---- */

typedef enum {
    MESH_EFFECT_SEND,       /* path (KNOCK or ICE), bytes */
    MESH_EFFECT_BEACON,     /* bytes: from the knock port to the multicast groups, all interfaces */
    MESH_EFFECT_PERSIST,    /* token, item: answered by STORED or STORE_FAILED */
    MESH_EFFECT_FORGET,     /* item's key: delete, no answer */
    MESH_EFFECT_FETCH,      /* token, item's key: answered by FETCHED */
    MESH_EFFECT_ICE_START,  /* agent, controlling, servers: gather, then ICE_OFFER */
    MESH_EFFECT_ICE_REMOTE, /* agent, bytes: the other side's offer */
    MESH_EFFECT_ICE_STOP,   /* agent */
    MESH_EFFECT_STREAM_OPEN,  /* stream: someone's live stream begins */
    MESH_EFFECT_STREAM_CLOSE, /* stream */
    MESH_EFFECT_FRAME,        /* stream, frame: decoded, authenticated, in no order */
    MESH_EFFECT_KEYFRAME,     /* stream.frame.kind: our own next frame shall be a keyframe */
    MESH_EFFECT_NOTIFY,       /* notice, hash or key: something in the views changed */
    MESH_EFFECT_DONE,         /* tag, error, hash, text */
} MeshEffectKind;

typedef enum {
    MESH_NOTICE_MEETING,  /* title, epoch, own role */
    MESH_NOTICE_MEMBER,   /* key */
    MESH_NOTICE_PEER,     /* key: its link came, went or moved; end: why it is direct no more */
    MESH_NOTICE_MAP,      /* links between members, who is reached; at most once a second */
    MESH_NOTICE_MESSAGE,  /* hash */
    MESH_NOTICE_DOCUMENT, /* hash: announced, progressed or whole */
    MESH_NOTICE_MOTION,   /* hash */
    MESH_NOTICE_HAND,     /* key: its hand went up or down, or its turn changed */
    MESH_NOTICE_FORK,     /* key: an author signed two entries with one number */
    MESH_NOTICE_EXPELLED, /* this node itself */
    MESH_NOTICE_COPIED,   /* this node itself: see MeshInfo */
} MeshNotice;

/* Why the link to a member ended, or others carry what went directly before. */
typedef enum {
    MESH_END_NONE,     /* it did not */
    MESH_END_SILENT,   /* nothing was heard of it any more */
    MESH_END_UNHEARD,  /* it takes another way though it is heard: nothing of us arrives there */
    MESH_END_NETWORK,  /* this node's own network changed */
    MESH_END_RENEWED,  /* it began another run, or the two ends lost count: it begins anew */
    MESH_END_LEFT,     /* it said that it goes */
    MESH_END_SPARED,   /* it said that it has links enough */
    MESH_END_LET_GO,   /* this node has links enough */
    MESH_END_EXPELLED, /* it is in the meeting no more */
} MeshEnd;

typedef struct {
    MeshEffectKind kind;
    union {
        struct {
            MeshPath path;
            const uint8_t *bytes;
            size_t length;
        } send; /* SEND, BEACON */
        struct {
            uint64_t token;
            MeshItem item;
        } store; /* PERSIST, FORGET, FETCH */
        struct {
            uint32_t agent;
            bool controlling;
            Bytes offer;             /* ICE_REMOTE */
            const MeshPath *servers; /* ICE_START: nodes that answer STUN on these addresses */
            size_t server_count;
        } ice;
        struct {
            uint32_t stream; /* this node's number for it */
            MeshKey speaker;
            MeshFrame frame; /* FRAME; of OPEN, CLOSE and KEYFRAME only the kind */
        } stream;
        struct {
            MeshNotice notice;
            MeshHash hash;
            MeshKey key;
            MeshEnd end; /* PEER */
        } notify;
        struct {
            uint64_t tag;
            MeshError error;
            MeshHash hash;
            const char *text;
        } done;
    };
} MeshEffect;

/* Creates; NULL when memory is short. The caller destroys it. sodium_init() comes before. */
Mesh *mesh_create(const MeshOptions *options);
/* Wipes and frees; NULL-safe. */
void mesh_destroy(Mesh *mesh);

/*
 * Takes one event. MESH_ERROR_FOREIGN: the datagram is for another meeting (try the next Mesh).
 * Any other error: the event was dropped and counted; an INTENT always ends in DONE instead.
 */
MeshError mesh_step(Mesh *mesh, const MeshEvent *event);

/* The next effect, false when there is none left now. */
bool mesh_next_effect(Mesh *mesh, MeshEffect *ret_effect);

/* When TIMEOUT is wanted, in µs of the same clock; UINT64_MAX: never. */
uint64_t mesh_deadline_us(const Mesh *mesh);

/* ---- views: what is true now; pointers are valid until the next mesh_step ---- */

typedef enum {
    MESH_STATUS_NEW, /* neither created nor joined */
    MESH_STATUS_JOINING,
    MESH_STATUS_MEMBER,
    MESH_STATUS_EXPELLED,
} MeshStatus;

typedef struct {
    MeshStatus status;
    MeshHash id; /* zero while NEW or JOINING */
    const char *title;
    const char *profile;
    MeshKey own_key;
    MeshRole own_role;
    bool relay; /* this node carries, or is to: it knows no title, name or text */
    uint32_t epoch;
    size_t members; /* not expelled, this node included, relays not */
    size_t entries;
    uint64_t written; /* of them here, in this run of the node */
    bool copied;      /* another node with this one's key runs somewhere: its home was copied */
} MeshInfo;

typedef enum {
    MESH_LINK_DOWN,
    MESH_LINK_CONNECTING,
    MESH_LINK_UP,
} MeshLinkState;

/* How a link finds what its line carries. */
typedef enum {
    MESH_LINE_UNKNOWN, /* no link */
    MESH_LINE_START,   /* too little is known: it is being tried how much the line carries */
    MESH_LINE_STEADY,  /* about a packet is kept waiting in the line */
    MESH_LINE_TRIAL,   /* much is lost: it is being tried whether less is when we are slower */
    MESH_LINE_SHARED,  /* another's packets wait in the line however little we send */
    MESH_LINE_OUTAGE,  /* nothing is answered: only probes are sent */
} MeshLineState;

typedef struct {
    MeshKey key;
    const char *name;
    MeshRole role;
    bool expelled;
    bool self;
    bool forked;
    MeshLinkState state; /* UP too when it is not linked with, but the map shows a way to it */
    MeshPath path;       /* while UP; without a link RELAY */
    MeshKey via;         /* RELAY: the member that carries, or begins to */
    uint32_t hops;       /* links on the way; 0: it is not UP */
    bool linked;         /* UP by a link of its own; all below but rtt_us is of that */
    uint32_t rtt_us;     /* smoothed, or what the map lets expect; 0: not measured */
    uint32_t loss_ppm;
    uint32_t rate_bps;      /* what the link is thought to carry */
    uint32_t queue_us;      /* what waits, at that rate */
    uint32_t line_queue_us; /* what waits in the line because of us */
    MeshLineState line_state;
    uint64_t tx_bytes; /* datagrams of this link, their 28 or 48 header bytes not counted */
    uint64_t rx_bytes;
    uint64_t packets_sent, packets_lost; /* by this link, since it was last up anew */
    uint64_t messages_expired;           /* given up at their deadline, not wholly sent */
    uint64_t unconfirmed; /* of what was written here in this run: entries it has not confirmed to
                             us, by its link or by citing them */
    bool confirms; /* false: it is reached through others and may have these too, which is not known
                      before it writes something */
} MeshMember;

/* What the map shows of a member. */
typedef struct {
    MeshKey key;
    bool present;    /* linked with, or reached; this node itself too */
    bool declared;   /* it said whom it is linked with: what follows is of that */
    uint32_t hops;   /* links on the way from here; 0: this node itself, or no way */
    MeshKey next;    /* the first node on it, with hops */
    uint32_t rtt_us; /* that the way is expected to take at most, with hops */
    bool weak;       /* it should carry nothing for others */
    bool relay;      /* it is here to carry */
    uint64_t number; /* of its record; the newest counts */
    size_t edges;    /* that it declares */
} MeshMapMember;

/* A link that a member declares, in the classes it is told in. */
typedef struct {
    MeshKey key;           /* of the other end; zero: a node that is in no roster here */
    bool agreed;           /* the other end declares it too: only then it counts */
    uint32_t rtt_us_below; /* UINT32_MAX: of the worst class; the same of the next */
    uint32_t loss_ppm_below;
    uint32_t rate_bps_from; /* 0: of the worst class */
} MeshMapEdge;

typedef struct {
    MeshHash id;
    MeshKey author;
    const char *name;
    const char *text;    /* of a voice message empty */
    uint64_t sent_at_ms; /* as its author's clock said */
    uint32_t
        voice_parts;   /* that are here without a gap from the first; 0: it is no voice message */
    uint32_t voice_ms; /* what these last */
    bool voice_whole;  /* they are all; false too when its author was cut off in the middle */
} MeshMessage;

typedef struct {
    MeshHash id;
    MeshKey author;
    const char *name;
    uint64_t size;
    uint64_t have; /* bytes */
    uint64_t leaves;
    bool whole; /* all is here; of an empty one no byte would say so */
} MeshDocument;

typedef enum {
    MESH_MOTION_OPEN,
    MESH_MOTION_CLOSED,
    MESH_MOTION_VOID,
} MeshMotionState;

typedef struct {
    MeshHash id;
    MeshKey author;
    const char *text;
    MeshMotionState state;
    uint32_t counted;
    size_t choice_count;
    const char *choices[MESH_CHOICES_MAX];
    uint32_t tally[MESH_CHOICES_MAX];
    const char *outcome;  /* "" while open; a choice, "tie", or "none" */
    const char *own_vote; /* "" when none */
} MeshMotion;

typedef struct {
    MeshKey key;
    const char *name;
    const char *choice; /* "": none that counts */
} MeshVoter;

typedef struct {
    uint64_t malformed, forged, replayed, foreign, limited,
        refused; /* what came in and was dropped */
    uint64_t datagrams_in, datagrams_out, duplicates, forwarded;
    uint64_t kept_bytes; /* by a relay: of entries, those whose bodies were left out included */
} MeshCounters;

MeshInfo mesh_info(const Mesh *mesh);
MeshCounters mesh_counters(const Mesh *mesh);
/* In the order of admission, expelled ones included; false past the end. */
bool mesh_member(const Mesh *mesh, size_t index, MeshMember *ret_member);
/* The map, by the same index; false past the end. Of its edges in order; false past the last. */
bool mesh_map_member(const Mesh *mesh, size_t index, MeshMapMember *ret_member);
bool mesh_map_edge(const Mesh *mesh, const MeshKey *member, size_t index, MeshMapEdge *ret_edge);
/* In the meeting's common order (causal height, then hash); may grow in the middle. */
size_t mesh_message_count(const Mesh *mesh);
bool mesh_message(const Mesh *mesh, size_t index, MeshMessage *ret_message);
bool mesh_document(const Mesh *mesh, size_t index, MeshDocument *ret_document);
bool mesh_motion(const Mesh *mesh, size_t index, MeshMotion *ret_motion);
/* Who asks to speak, in the order that is the same everywhere: their keys. Returns how many. */
size_t mesh_hands(const Mesh *mesh, MeshKey ret_keys[MESH_MEMBERS_MAX]);
/*
 * The voters of a motion that the roster names, in its order, and the ballots that count: while the
 * motion is open the last of each, then those its close lists. Returns how many.
 */
size_t mesh_motion_voters(const Mesh *mesh, const MeshHash *motion,
                          MeshVoter ret_voters[MESH_MEMBERS_MAX]);

/*
 * The next sealed block's key for reading a whole document: fetch item (BLOCK) for leaf `leaf`,
 * then open what the store gave. `ret_length` ≤ 4096. UNKNOWN: no such document or leaf.
 */
MeshError mesh_document_leaf_key(const Mesh *mesh, const MeshHash *document, uint32_t leaf,
                                 uint8_t ret_key[MESH_ITEM_KEY_MAX], size_t *ret_length);
MeshError mesh_document_leaf_open(const Mesh *mesh, const MeshHash *document, uint32_t leaf,
                                  const uint8_t *sealed, size_t sealed_length,
                                  uint8_t ret_plain[4096], size_t *ret_length);

/*
 * One part of a voice message, opened into `ret_bytes`, into which its frames point. UNKNOWN: no
 * such message, or that part is not here.
 */
MeshError mesh_voice_part(const Mesh *mesh, const MeshHash *message, uint32_t number,
                          uint8_t ret_bytes[MESH_ENTRY_MAX], MeshVoicePart *ret_part);
/*
 * Takes the first frame off a part, its payload borrowed; `part->from_ms` goes on behind it. False
 * when none is left, or they make no sense.
 */
bool mesh_voice_frame(MeshVoicePart *part, MeshVoiceFrame *ret_frame);
/*
 * Appends a frame to the frames of a part, which are in `bytes`, with a pause before it when it
 * stands later than where they end: `end_ms`. False when it does not fit, or stands earlier.
 */
bool mesh_voice_append(MeshVoicePart *part, uint8_t bytes[MESH_VOICE_FRAMES_MAX], uint32_t end_ms,
                       const MeshVoiceFrame *frame);

/* Whether the value of a stored ENTRY is the entry: a relay keeps of some less, of no use
 * elsewhere.
 */
bool mesh_item_is_entry(const MeshItem *item);

/* The Ed25519 public key of a device seed. */
MeshKey mesh_key_of_seed(const uint8_t seed[MESH_SEED_SIZE]);
