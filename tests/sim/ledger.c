/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/ledger.h"

#include <string.h>

#include "tests/sim/node.h"

struct Ledger {
    GPtrArray *asks;
    GPtrArray *by_node[NETWORK_HOSTS]; /* of asks; NULL: it was asked nothing */
    GHashTable *results;               /* id of a motion → its tally in words */
};

static void ask_destroy(gpointer data) {
    Ask *ask = data;

    g_free(ask->text);
    g_free(ask->said);
    g_free(ask);
}

guint ledger_key_hash(gconstpointer key) {
    guint word;

    memcpy(&word, key, sizeof word);
    return word;
}

gboolean ledger_key_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, MESH_HASH_SIZE) == 0;
}

Ledger *ledger_create(void) {
    Ledger *ledger = g_new0(Ledger, 1);

    ledger->asks = g_ptr_array_new_with_free_func(ask_destroy);
    ledger->results = g_hash_table_new_full(ledger_key_hash, ledger_key_equal, g_free, g_free);
    return ledger;
}

void ledger_destroy(Ledger *ledger) {
    for (unsigned i = 0; i < NETWORK_HOSTS; i++)
        g_clear_pointer(&ledger->by_node[i], g_ptr_array_unref);
    g_ptr_array_unref(ledger->asks);
    g_hash_table_unref(ledger->results);
    g_free(ledger);
}

Ask *ledger_add(Ledger *ledger, Node *node, const MeshIntent *intent) {
    Ask *ask = g_new0(Ask, 1);

    ask->node = node;
    ask->kind = intent->kind;
    ask->said = g_strdup(intent->choice ? intent->choice : intent->text);
    ask->about = intent->hash;
    ask->size = intent->size;
    g_ptr_array_add(ledger->asks, ask);
    if (!ledger->by_node[node->number])
        ledger->by_node[node->number] = g_ptr_array_new();
    g_ptr_array_add(ledger->by_node[node->number], ask);
    ask->tag = ledger->asks->len;
    return ask;
}

size_t ledger_count(const Ledger *ledger) {
    return ledger->asks->len;
}

Ask *ledger_ask(const Ledger *ledger, size_t index) {
    return g_ptr_array_index(ledger->asks, index);
}

Ask *ledger_find(const Ledger *ledger, uint64_t tag) {
    return tag >= 1 && tag <= ledger->asks->len ? ledger_ask(ledger, tag - 1) : NULL;
}

bool ask_succeeded(const Ask *ask) {
    return ask->state == ASK_DONE && ask->error == MESH_OK;
}

Ask *ledger_ask_of(const Ledger *ledger, const Node *node, size_t index) {
    const GPtrArray *asks = ledger->by_node[node->number];

    return asks && index < asks->len ? g_ptr_array_index(asks, index) : NULL;
}

size_t ledger_waiting(const Ledger *ledger, const Node *node) {
    const Ask *ask;
    size_t count = 0;

    for (size_t i = 0; (ask = ledger_ask_of(ledger, node, i)); i++)
        count += ask->state == ASK_WAITING;
    return count;
}

/* ---- motions ---- */

static bool find_motion(const Node *node, const MeshHash *id, MeshMotion *ret_motion) {
    for (size_t i = 0; mesh_motion(node->mesh, i, ret_motion); i++)
        if (ledger_key_equal(ret_motion->id.bytes, id->bytes))
            return true;
    return false;
}

void ledger_result(Ledger *ledger, Node *node, const MeshHash *id) {
    MeshMotion motion;
    GString *words;
    const char *former;

    if (!find_motion(node, id, &motion) || motion.state != MESH_MOTION_CLOSED)
        return;
    words = g_string_new(motion.outcome);
    for (size_t i = 0; i < motion.choice_count; i++)
        g_string_append_printf(words, ", %s %u", motion.choices[i], motion.tally[i]);
    former = g_hash_table_lookup(ledger->results, id->bytes);
    if (!former)
        g_hash_table_insert(ledger->results, g_memdup2(id->bytes, MESH_HASH_SIZE),
                            g_strdup(words->str));
    else
        world_expect(node->world, strcmp(former, words->str) == 0,
                     "a motion has two results: %s; and for %s: %s", former, node->name,
                     words->str);
    g_string_free(words, TRUE);
}

const char *ledger_vote(const Ledger *ledger, const Node *node, const MeshHash *motion) {
    const char *choice = NULL;
    const Ask *ask;

    for (size_t i = 0; (ask = ledger_ask_of(ledger, node, i)); i++) {
        if (ask->kind != MESH_INTENT_VOTE || !ledger_key_equal(ask->about.bytes, motion->bytes))
            continue;
        if (ask_succeeded(ask))
            choice = ask->said;
        else if (ask->state == ASK_LOST)
            choice = NULL; /* it may count, or the one before it */
    }
    return choice;
}

/* ---- what its own person was told ---- */

static bool has_message(const Node *node, const Ask *ask) {
    MeshMessage message;

    for (size_t i = 0; mesh_message(node->mesh, i, &message); i++)
        if (ledger_key_equal(message.id.bytes, ask->hash.bytes))
            return strcmp(message.text, ask->said) == 0;
    return false;
}

static bool has_document(const Node *node, const Ask *ask) {
    MeshDocument document;

    for (size_t i = 0; mesh_document(node->mesh, i, &document); i++)
        if (ledger_key_equal(document.id.bytes, ask->hash.bytes))
            return document.have == document.size;
    return false;
}

static bool has_vote(const Ledger *ledger, const Node *node, const Ask *ask) {
    const char *choice = ledger_vote(ledger, node, &ask->about);
    MeshMotion motion;

    return find_motion(node, &ask->about, &motion) &&
           (!choice || strcmp(motion.own_vote, choice) == 0);
}

/* A join by hand is done when there is a code; who accepts the answer is a member. */
static bool makes_member(const Ask *ask) {
    return ask->kind == MESH_INTENT_CREATE || ask->kind == MESH_INTENT_ACCEPT ||
           (ask->kind == MESH_INTENT_JOIN && !ask->text);
}

void ledger_check_own(Ledger *ledger, Node *node) {
    World *world = node->world;
    MeshMotion motion;
    const Ask *ask;

    if (world->failure || node->place == NODE_EXPELLED)
        return;
    for (size_t i = 0; (ask = ledger_ask_of(ledger, node, i)); i++) {
        if (!ask_succeeded(ask))
            continue;
        if (ask->kind == MESH_INTENT_SAY)
            world_expect(world, has_message(node, ask), "%s lost its acknowledged message `%s`",
                         node->name, ask->said);
        else if (ask->kind == MESH_INTENT_DOCUMENT_END)
            world_expect(world, has_document(node, ask), "%s lost its acknowledged document %s",
                         node->name, ask->said);
        else if (ask->kind == MESH_INTENT_MOTION_OPEN)
            world_expect(world, find_motion(node, &ask->hash, &motion),
                         "%s lost its acknowledged motion `%s`", node->name, ask->said);
        else if (ask->kind == MESH_INTENT_MOTION_CLOSE)
            world_expect(
                world, find_motion(node, &ask->about, &motion) && motion.state != MESH_MOTION_OPEN,
                "%s lost its acknowledged close", node->name);
        else if (ask->kind == MESH_INTENT_VOTE)
            world_expect(world, has_vote(ledger, node, ask), "%s lost its acknowledged vote `%s`",
                         node->name, ask->said);
        else if (makes_member(ask))
            world_expect(world, mesh_info(node->mesh).status == MESH_STATUS_MEMBER,
                         "%s lost the meeting it was in", node->name);
    }
}
