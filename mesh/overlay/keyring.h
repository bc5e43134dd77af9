/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The keys agreed with one neighbour: those in use, those they replaced, and those of each message
 * 1 answered of late, which replace nothing until something comes under them.
 * It owns them all, and the answers that agreed them. It never sends, nor decides when keys are
 * to be renewed.
 */
#pragma once

#include "mesh/link/session.h"

typedef struct {
    Session session;
    uint32_t number; /* the later agreed, the higher */
    uint64_t made_us;
    bool own;       /* agreed by our message 1 */
    bool confirmed; /* the other has them too: an answer came, or something under them */
    bool greets;    /* the answer that agreed them greeted whoever knocked */
    bool by_hand;   /* people carried them: until a way is found, that is all there is */
    uint8_t own_instance[4], peer_instance[4]; /* of the link, at both ends */
    uint8_t psk[HANDSHAKE_PSK_SIZE];           /* they were agreed under this */
    uint8_t hash[16];                          /* of the message 1 they answer, */
    uint8_t *answer;                           /* and the answer, owned; NULL: none any more */
    size_t answer_length;
} Keys;

typedef struct {
    Keys *current; /* those in use; NULL: none ever were */
    uint64_t used_us;
    uint64_t sealed; /* packets of the link, under them */
    uint32_t made;
    uint32_t count;
    Keys *keys[MESH_KEYS_MAX];
} Keyring;

void keyring_finish(Keyring *keyring);

/* A place for keys just agreed, all zero but their number and time; NULL when memory is short. The
 * keys of a message 1 that nothing followed make room, whichever `chance` says: repeating old ones
 * displaces any of them, the one that is waited for no sooner than another. */
Keys *keyring_add(Keyring *keyring, uint64_t now_us, uint32_t chance);
/* These are used from now on; of those replaced only the last are kept. */
void keyring_use(Keyring *keyring, Keys *keys, uint64_t now_us);
/* Wipes what was replaced long ago: then nobody can open any more what was under way. */
void keyring_wipe(Keyring *keyring, uint64_t now_us);
/* When that wipes any; UINT64_MAX: never. */
uint64_t keyring_wipe_us(const Keyring *keyring);

/* The keys by which this message 1 was answered, if that may be repeated; NULL. */
Keys *keyring_answered(const Keyring *keyring, const uint8_t hash[16]);
/* The link is no more: what nothing came under is forgotten, and no answer is repeated. */
void keyring_lost(Keyring *keyring);

/* They were agreed for a link that is no more, `instance` being that of ours now. */
bool keyring_is_stale(const Keyring *keyring, const Keys *keys, const uint8_t instance[4]);
/* What came under these keys says that they are those to use. `first`: our static key is the lower.
 * Where two knocks crossed each other the keys of the lower's stay. */
bool keyring_is_newer(const Keyring *keyring, const Keys *keys, bool first);
/* Those to seal with: in use or, for nodes that people brought together, waiting. NULL: none. */
Keys *keyring_sealing(const Keyring *keyring, const uint8_t instance[4]);
