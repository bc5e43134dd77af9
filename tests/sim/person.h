/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What people do at their nodes: they ask, and wait or not. All of it goes into the ledger.
 * It owns documents under way, whose contents are computed from their names. It never does anything
 * to a node that does not run.
 */
#pragma once

#include "tests/sim/ledger.h"
#include "tests/sim/node.h"

/* Asks; what is made of it is in the ledger. Borrowed; NULL when the node does not run. */
const Ask *person_ask(Node *node, MeshIntent intent);
/* Asks and lets the world go on until it is answered; true: done well. A failure of the world when
 * it is not answered in time. `ret_ask` may be NULL. */
bool person_must(Node *node, MeshIntent intent, uint64_t within_us, const Ask **ret_ask);

void person_create(Node *node, const char *title);
/* The ticket, borrowed; "" after a failure. */
const char *person_invite(Node *node, MeshRole role, uint32_t uses);
/* Joins and becomes a member; a failure of the world when it is not within so long. */
void person_join(Node *node, const char *ticket, uint64_t within_us);
/* Joins to carry. */
void person_join_relay(Node *node, const char *ticket, uint64_t within_us);
/* Tries, for as long as it takes; the error. */
MeshError person_try(Node *node, const char *ticket);
void person_say(Node *node, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The motion's id; the world fails when it cannot be opened. */
MeshHash person_open(Node *node, const char *text);
void person_vote(Node *node, const MeshHash *motion, const char *choice);
/* Begins to add a document of so many bytes; its name is new. */
void person_add(Node *node, uint64_t size);
void person_expel(Node *node, Node *other);

/* The bytes of a document, `length` from `offset`, which is a multiple of 8. */
void person_document_bytes(const char *name, uint64_t offset, uint8_t *ret_bytes, size_t length);

/* The core answered. */
void person_done(Node *node, const MeshEffect *effect);
/* The node crashed: nothing it was asked will be answered. */
void person_forget(Node *node);
/* Frees a document under way; NULL-safe. */
void person_upload_destroy(gpointer upload);
