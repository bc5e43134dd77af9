/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the people of a world asked for and what they were told: the measure of what may not be
 * lost. It owns every ask, in the order asked, and the first result seen of each motion.
 * It never looks into a core but through its views.
 */
#pragma once

#include "tests/sim/world.h"

typedef enum {
    ASK_WAITING,
    ASK_DONE, /* with its error, which may be OK */
    ASK_LOST, /* the node crashed before it answered: done or not, nobody knows */
} AskState;

typedef struct {
    Node *node;
    uint64_t tag;
    MeshIntentKind kind;
    AskState state;
    MeshError error;
    MeshHash hash;  /* of DONE: what was made */
    char *text;     /* of DONE */
    char *said;     /* what was asked: a text, a choice, the name of a document */
    MeshHash about; /* what it was asked of */
    uint64_t size;  /* of a document */
} Ask;

Ledger *ledger_create(void);
void ledger_destroy(Ledger *ledger);

/* A new ask, with a tag of its own. Borrowed. */
Ask *ledger_add(Ledger *ledger, Node *node, const MeshIntent *intent);
size_t ledger_count(const Ledger *ledger);
Ask *ledger_ask(const Ledger *ledger, size_t index);
Ask *ledger_find(const Ledger *ledger, uint64_t tag); /* NULL: there is none */
/* It was done, and well. */
bool ask_succeeded(const Ask *ask);
/* The asks of one node, in their order; NULL past the last. */
Ask *ledger_ask_of(const Ledger *ledger, const Node *node, size_t index);
/* Those that still wait. */
size_t ledger_waiting(const Ledger *ledger, const Node *node);

/* A node saw a motion change: a result, once seen anywhere, is the only one. */
void ledger_result(Ledger *ledger, Node *node, const MeshHash *motion);
/* What its person was told was done is in the node's own views. */
void ledger_check_own(Ledger *ledger, Node *node);
/* The choice that must be the vote of this node in a motion; NULL: none, or not certain. */
const char *ledger_vote(const Ledger *ledger, const Node *node, const MeshHash *motion);

/* Of the 32 bytes of a key or hash, for GHashTable. */
guint ledger_key_hash(gconstpointer key);
gboolean ledger_key_equal(gconstpointer a, gconstpointer b);
