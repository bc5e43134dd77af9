/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The other nodes this one is linked with, or tries to be: one slot each, with its handshake, its
 * keys, its paths and its link.
 * It owns the slots. It never decides whom to link with (reach does) nor reads what a link carries.
 */
#pragma once

#include "mesh/link/link.h"
#include "mesh/mesh.h"
#include "mesh/overlay/due.h"
#include "mesh/overlay/keyring.h"

#define NEIGHBOUR_NONE          UINT32_MAX
#define NEIGHBOUR_PHASES        4
#define NEIGHBOUR_DOUBT_US      UINT64_C(60000000) /* a stranger is given so long to be admitted */
#define CONTACT_TURN            4                  /* knocks before others may have the turn */
#define NEIGHBOUR_WIRE_OVERHEAD (28 + SESSION_OVERHEAD_SIZE) /* IPv4, UDP, our seal */

/* The handshake we began, if any. */
typedef enum {
    CONTACT_IDLE,
    CONTACT_KNOCKING, /* message 1 goes out again and again */
} ContactState;

/* Each says that it has the other in its roster; what only members tell is told after both did. */
typedef enum {
    GREETING_NONE = 0,
    GREETING_SAID = 1,
    GREETING_HEARD = 2,
    GREETING_BOTH = 3,
} Greeting;

typedef enum {
    LINKED_NOT,
    LINKED_KEPT,    /* it is silent so long that it is held to be gone, but goes on if it answers */
    LINKED_DOUBTED, /* it was silent too long while voice flowed: others do not count on it */
    LINKED_UP,      /* keys confirmed, and a path that lives */
} Linked;

/* What a goodbye says: why. */
typedef enum {
    BYE_GOES = 0,   /* the node goes, or has nothing to do with the other any more */
    BYE_SPARES = 1, /* it has links enough */
} Bye;

/* How the silence of a path is taken, see pulse.c. */
typedef enum {
    PULSE_CALM,  /* it may be so long, or was just probed */
    PULSE_ASKED, /* voice flows, and it may not: probed again and again */
} Pulse;

typedef enum {
    UPGRADE_NONE,
    UPGRADE_GATHERING, /* our agent gathers */
    UPGRADE_OFFERED,   /* our offer is sent */
    UPGRADE_UP,        /* the agent connects: its path may be probed or used */
    UPGRADE_DOUBTED,   /* its path was in use and fell silent: it is still probed for a while */
} UpgradeState;

/* A message 1 of ours, and what reading its answer takes. */
typedef struct {
    Handshake handshake;
    size_t length;
    uint8_t init[];
} Knock;

/* What came by a path. */
typedef struct {
    SessionKind kind;
    uint64_t counter;
    uint64_t took_us; /* an echo: since the probe that it answers */
} RouteSign;

typedef struct {
    /* looked at in every step, so side by side */
    MeshKey key;
    ContactState contact;
    Linked linked;
    Greeting greeting;
    UpgradeState upgrade;
    Link *link; /* from the first handshake on until it is lost */
    Pulse pulse;
    bool first;        /* our static key is the lower: some things are done by one of two alone */
    bool suspected;    /* others lost it, or it fell silent together with others */
    bool quiet;        /* it is kept while others are heard: nothing is said to it */
    uint64_t doubt_us; /* one in no roster is given up then; UINT64_MAX: it is in the roster */
    uint64_t leave_us; /* the link is closed then; UINT64_MAX: never */
    uint64_t gone_us;  /* it said goodbye: what was still under way is awaited until then */
    uint64_t contact_next_us;
    uint64_t probe_next_us;
    uint64_t path_heard_us;
    uint64_t answered_us; /* something came by it that does not only ask whether we hear */
    uint64_t voice_us;    /* voice last went or came by this link; 0: never */
    uint64_t flow_us;     /* and without a long pause since then */
    uint64_t spoken_us;   /* it last went */
    uint32_t trip_us;     /* the round trip last measured; 0: never */
    uint32_t probes_unanswered;
    Keyring keyring;
    MeshPath path;

    uint8_t static_key[32];
    uint8_t psk[HANDSHAKE_PSK_SIZE];
    bool by_ticket;      /* psk is a ticket's: a joiner, or our way in */
    uint8_t instance[4]; /* of our Link: a restarted node has another */

    /* handshake */
    Knock *knock; /* owned; NULL: none is made */
    uint64_t init_made_us;
    uint64_t contact_sent_us;
    uint32_t contact_tries;
    uint32_t turn_tries;      /* then it had its turn to be knocked at */
    bool yielded;             /* theirs was answered since ours was sent: ours waited for that */
    uint64_t sighted_us;      /* heard under the keys of a lost link */
    uint64_t wanted_until_us; /* shown as connecting, not down */
    uint64_t counter;         /* next packet */
    uint64_t asked_counter;   /* the same when it was last looked at, while it is kept */

    /* paths */
    uint64_t path_counter; /* highest counter that came by it */
    uint64_t heard_us;
    uint64_t used_us;    /* it is in use since then */
    uint64_t came_us;    /* it is linked with since then */
    uint64_t relayed_us; /* others carry since then */
    /* What was to go to it by this hop did not arrive: until then another is taken, if any. */
    uint8_t vain_hop[SHORT_KEY_SIZE];
    uint64_t vain_us;
    uint64_t direct_next_us; /* next try of its addresses while relayed, or reached by IPv6 */
    uint32_t direct_tries;
    size_t address_count;
    MeshPath addresses[MESH_ADDRESSES_MAX]; /* where it may be reached, the newest first */
    MeshPath seen;                          /* where it sees us */
    MeshPath kept;                          /* the address of it last kept on disk, then */
    uint64_t kept_us;
    uint64_t hand_until_us; /* its message 1 came by hand: it is looked for until then */

    /* ICE */
    uint32_t agent;
    uint32_t round;
    bool controlling;
    uint8_t *remote_offer;
    size_t remote_offer_length;
    uint64_t upgrade_began_us, upgrade_next_us, upgrade_give_up_us;
    uint32_t upgrade_tries;

    uint64_t tx_bytes, rx_bytes;
    uint32_t nonsense;                /* what came of it that no honest one sends */
    uint64_t served;                  /* bytes of documents, as the uplink shares itself out */
    uint32_t line_bps, line_queue_us; /* of a busy link, when last compared; smoothed */
    uint32_t company;                 /* looks for which it counts as sharing a queue with others */
    MeshEnd gone_why;                 /* what it said when it said goodbye */
    uint64_t confirmed;               /* entries of our own chain; see owed.h */
    uint64_t told, has; /* entries of our own chain that it was told of; that it surely has */
    /* until then what it made us carry fills what it may; of that what goes before others' chat */
    uint64_t carried_us, carried_soon_us;
} Neighbour;

typedef struct {
    Neighbour *slots[MESH_PEERS_MAX];
    uint64_t names[MESH_PEERS_MAX]; /* the first bytes of their keys, side by side */
    uint32_t end;                   /* none from this one on is taken */
    Dues *dues;                     /* owned */
    uint32_t next_agent;
    bool carried; /* what is being read came through a member */
} Neighbours;

/* False when memory is short. */
bool neighbours_init(Neighbours *neighbours);
void neighbours_finish(Mesh *mesh);
/* For whoever may change it: it is looked after in this step, see due.h. */
Neighbour *neighbour_at(const Mesh *mesh, uint32_t slot);
Neighbour *neighbour_find(const Mesh *mesh, const MeshKey *key);
Neighbour *neighbour_find_short(const Mesh *mesh, const uint8_t key[SHORT_KEY_SIZE]);
/* Whether any is linked with and heard. */
bool neighbours_any_up(const Mesh *mesh);
/* For whoever only looks. */
const Neighbour *neighbour_view(const Mesh *mesh, uint32_t slot);
const Neighbour *neighbour_view_of(const Mesh *mesh, const MeshKey *key);
uint32_t neighbour_slot(const Mesh *mesh, const Neighbour *neighbour);
/* Makes sure that one more slot can be had, if need be of a node that is not linked. `stranger`: it
 * is for one in no roster, of whom there are at most MESH_HALF_OPEN_MAX. False: there is none. */
bool neighbours_make_room(Mesh *mesh, bool stranger);
/* The slot of this node, made when there is none; NULL when all are taken or the key is no good. */
Neighbour *neighbour_want(Mesh *mesh, const MeshKey *key, const uint8_t psk[HANDSHAKE_PSK_SIZE],
                          bool by_ticket);
/* Its message 1 was just answered, and it may be about to use the keys. */
bool neighbour_is_awaited(const Mesh *mesh, const Neighbour *neighbour);
/* All links end with this step, those who are up being told. */
void neighbours_leave(Mesh *mesh);
/* Closes and forgets: never while a message of it is read. */
void neighbour_drop(Mesh *mesh, Neighbour *neighbour);

bool neighbour_is_up(const Neighbour *neighbour);
/* Its link may send something now. */
bool neighbour_may_send(const Neighbour *neighbour);
bool neighbour_is_direct(const Neighbour *neighbour);
/* Linked with, and in the roster: content may be told. */
bool neighbour_is_trusted(Mesh *mesh, const Neighbour *neighbour);
/* And it said the same of us: what we send now is not refused. */
bool neighbour_is_greeted(Mesh *mesh, const Neighbour *neighbour);

/* Submits one message, kind byte first; false when the link cannot take it. */
bool neighbour_send(Mesh *mesh, Neighbour *neighbour, LinkPriority priority, uint64_t life_us,
                    uint8_t kind, Bytes body);
/* The same of a body in two parts, of which the first is short. */
bool neighbour_send_parts(Mesh *mesh, Neighbour *neighbour, LinkPriority priority, uint64_t life_us,
                          uint8_t kind, Bytes head, Bytes rest);
/* To all trusted neighbours. */
void neighbours_send(Mesh *mesh, LinkPriority priority, uint64_t life_us, uint8_t kind, Bytes body);

/* Adds an address in front, or moves it there. */
void neighbour_add_address(Neighbour *neighbour, const MeshPath *path);

/* Greets those linked who are in the roster now. */
void neighbours_greet(Mesh *mesh);
/* It greeted us. */
void neighbour_greeted(Mesh *mesh, Neighbour *neighbour);

/* A datagram came by a path, see intake.c. FOREIGN: not for this meeting. */
MeshError neighbours_datagram(Mesh *mesh, const MeshPath *path, Bytes datagram);
/* Counts what came of something that came in. */
void neighbours_count(Mesh *mesh, MeshError error);
/* It sent what no honest one does. Whoever does so often has lost count of the link, or lies: both
 * ends begin anew. */
void neighbour_nonsense(Mesh *mesh, Neighbour *neighbour);
/* Sends bytes by a path: a datagram, or through the member that carries. */
void neighbour_transmit(Mesh *mesh, const MeshPath *path, Bytes bytes, LinkPriority priority);
/* One packet of a link; false: it has none now. */
bool neighbour_flush(Mesh *mesh, Neighbour *neighbour, LinkPriority *ret_priority);

/* ---- contact.c: handshakes ---- */

/* Begins, or goes on with, trying to link; `soon`: now rather than when its turn comes. */
void contact_begin(Mesh *mesh, Neighbour *neighbour, bool soon);
void contact_timeout(Mesh *mesh, Neighbour *neighbour);
/* The message 1 that goes out is of no use any more. */
void contact_forget(Neighbour *neighbour);
uint64_t contact_deadline_us(const Neighbour *neighbour);
/* When keys are to be wiped or renewed, in a step that comes anyway. */
uint64_t contact_renew_us(const Neighbour *neighbour);
MeshError contact_init(Mesh *mesh, const MeshPath *path, Bytes message);
MeshError contact_answer(Mesh *mesh, const MeshPath *path, Bytes message);
/* A node whose link we lost still sends by this path: the handshake takes it too, at once. */
void contact_sighted(Mesh *mesh, Neighbour *neighbour, const MeshPath *path);
/* A message 1 to be carried by hand; from the same seed and payload the same again after a restart.
 */
MeshError contact_code(Mesh *mesh, Neighbour *neighbour, const uint8_t seed[32], Bytes payload,
                       uint8_t *ret_bytes, size_t *ret_length);
/* What our messages 1 and 2 say of this node. */
Bytes contact_payload(Mesh *mesh, const Neighbour *neighbour,
                      uint8_t bytes[HANDSHAKE_PAYLOAD_SIZE]);
/* These keys are used from now on. False when memory is short. */
bool contact_confirmed(Mesh *mesh, Neighbour *neighbour, Keys *keys);
/* It said that it goes: it will knock when it comes back, and is looked for seldom. */
void contact_rest(Mesh *mesh, Neighbour *neighbour);

/* ---- route.c: paths ---- */

/* Something authentic came by this path. */
void route_heard(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, const RouteSign *sign);
void route_probe(Mesh *mesh, Neighbour *neighbour, const MeshPath *path);
/* The same to every address known of it. */
void route_probe_all(Mesh *mesh, Neighbour *neighbour);
/* And to all but the one in use. */
void route_probe_others(Mesh *mesh, Neighbour *neighbour);
/* What this neighbour says may come by this path: through others only under its own name, and not
 * through itself. */
bool route_may_be(const Mesh *mesh, const MeshPath *path, const Neighbour *neighbour);
void route_timeout(Mesh *mesh, Neighbour *neighbour);
uint64_t route_deadline_us(const Mesh *mesh, const Neighbour *neighbour);
/* The link is gone. */
void route_lost(Mesh *mesh, Neighbour *neighbour, MeshEnd why);
/* Tells the other that the link ends; twice, as nobody will ask again. */
void route_bye(Mesh *mesh, Neighbour *neighbour, Bye why);
/* Ends a link that neither needs, with a word. */
void route_part(Mesh *mesh, Neighbour *neighbour);
/* It still speaks under the keys of a link that we ended: tells it again. */
void route_parted(Mesh *mesh, Neighbour *neighbour);
/* The other said so, and why. */
void route_left(Mesh *mesh, Neighbour *neighbour, Bytes why);
/* The path in use is dead: takes another, or loses the link. */
void route_dead(Mesh *mesh, Neighbour *neighbour, MeshEnd why);
/* The same of one that fell silent; where there is no other path the link may be kept for a while.
 */
void route_silent(Mesh *mesh, Neighbour *neighbour);
/* One that was doubted or kept is heard again. */
void route_back(Mesh *mesh, Neighbour *neighbour);
/* Nothing is heard of it: others do not count on the link until it is. */
void route_doubt(Mesh *mesh, Neighbour *neighbour);
/* What is said goes through others from now on, and the path in use until now is tried further. */
void route_detour(Mesh *mesh, Neighbour *neighbour, const MeshPath *path, MeshEnd why);
/* Everything may be different: probe now. */
void route_wake(Mesh *mesh);

/* ---- pulse.c: silence ---- */

/* Voice goes by this link, or came. */
void pulse_voice(Mesh *mesh, Neighbour *neighbour, bool goes);
/* Something authentic came by the path in use; `answers`: it does not only ask. */
void pulse_heard(Mesh *mesh, Neighbour *neighbour, bool answers);
/* The path in use is another one. */
void pulse_begin(Mesh *mesh, Neighbour *neighbour);
/* The path is in use so long that the other knows: if it takes another, this one is no good. */
bool pulse_is_settled(const Mesh *mesh, const Neighbour *neighbour);
/* It may be dead, though nothing is expected of it: it is asked again and again, as if voice
 * flowed, and doubted as soon. Nothing comes of it if it was just heard. */
void pulse_suspect(Mesh *mesh, Neighbour *neighbour);
/* It is asked for a word, unless it was already; returns how long its answer may take. */
uint64_t pulse_ask(Mesh *mesh, Neighbour *neighbour);
/* Of a link that is up. */
void pulse_timeout(Mesh *mesh, Neighbour *neighbour);
uint64_t pulse_due_us(const Mesh *mesh, const Neighbour *neighbour);

/* ---- upgrade.c: ICE ---- */

void upgrade_timeout(Mesh *mesh, Neighbour *neighbour);
uint64_t upgrade_deadline_us(const Mesh *mesh, const Neighbour *neighbour);
void upgrade_stop(Mesh *mesh, Neighbour *neighbour);
void upgrade_again(Neighbour *neighbour, uint64_t now_us);
/* Its path is in use; or was, and others carry instead. */
void upgrade_used(Neighbour *neighbour);
void upgrade_doubt(Mesh *mesh, Neighbour *neighbour);
void upgrade_offer_gathered(Mesh *mesh, uint32_t agent, Bytes offer);
void upgrade_offer_received(Mesh *mesh, Neighbour *neighbour, Bytes body);
void upgrade_agent_state(Mesh *mesh, uint32_t agent, bool up);
Neighbour *upgrade_neighbour(const Mesh *mesh, uint32_t agent);
