/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/check.h"

#include <sodium.h>
#include <string.h>

#include "tests/sim/ledger.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define LOOK_US   250000
#define LEAF_SIZE 4096

static bool is_present(const Node *node) {
    return node->mesh && node->place == NODE_MEMBER;
}

/* ---- what a node sees, in words ---- */

static void put_id(GString *words, const char *what, const uint8_t *id) {
    char text[17];

    sodium_bin2hex(text, sizeof text, id, 8);
    g_string_append_printf(words, "%s %s", what, text);
}

static void put_motion(GString *words, const MeshMotion *motion) {
    put_id(words, "motion", motion->id.bytes);
    g_string_append_printf(words, " `%s` state %d counted %u outcome %s:", motion->text,
                           motion->state, motion->counted, motion->outcome);
    for (size_t i = 0; i < motion->choice_count; i++)
        g_string_append_printf(words, " %s %u", motion->choices[i], motion->tally[i]);
    g_string_append_c(words, '\n');
}

static gint by_words(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Motions and documents have no order that is promised to be the same. */
static void put_sorted(GString *words, GPtrArray *lines) {
    g_ptr_array_sort(lines, by_words);
    for (guint i = 0; i < lines->len; i++)
        g_string_append(words, g_ptr_array_index(lines, i));
    g_ptr_array_unref(lines);
}

static void put_documents(GString *words, const Node *node) {
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    MeshDocument document;

    for (size_t i = 0; mesh_document(node->mesh, i, &document); i++) {
        bool part = document.size <= node->document_fetch_max && document.have != document.size;
        GString *line = g_string_new(NULL);

        put_id(line, "document", document.id.bytes);
        g_string_append_printf(line, " %s of %" G_GUINT64_FORMAT "%s\n", document.name,
                               document.size, part ? ", in part" : "");
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    put_sorted(words, lines);
}

static void put_motions(GString *words, const Node *node) {
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    MeshMotion motion;

    for (size_t i = 0; mesh_motion(node->mesh, i, &motion); i++) {
        GString *line = g_string_new(NULL);

        put_motion(line, &motion);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    put_sorted(words, lines);
}

/* In their order. */
static void put_hands(GString *words, const Node *node) {
    MeshKey keys[MESH_MEMBERS_MAX];
    size_t count = mesh_hands(node->mesh, keys);

    for (size_t i = 0; i < count; i++) {
        put_id(words, "hand", keys[i].bytes);
        g_string_append_c(words, '\n');
    }
}

/* One line for each thing that must be the same everywhere. */
static char *see(const Node *node) {
    MeshInfo info = mesh_info(node->mesh);
    GString *words = g_string_new(NULL);
    MeshMember member;
    MeshMessage message;

    put_id(words, "meeting", info.id.bytes);
    g_string_append_printf(words, " `%s` status %d epoch %u members %zu\n", info.title, info.status,
                           info.epoch, info.members);
    for (size_t i = 0; mesh_member(node->mesh, i, &member); i++) {
        put_id(words, "member", member.key.bytes);
        g_string_append_printf(words, " %s role %d expelled %d\n", member.name, member.role,
                               member.expelled);
    }
    for (size_t i = 0; mesh_message(node->mesh, i, &message); i++) {
        put_id(words, "message", message.id.bytes);
        g_string_append_printf(words, " %s: %s\n", message.name, message.text);
    }
    put_hands(words, node);
    put_documents(words, node);
    put_motions(words, node);
    g_string_append_printf(words, "entries %zu\n", info.entries);
    return g_string_free(words, FALSE);
}

/* ---- agreement ---- */

static char *first_difference(const Node *a, const char *one, const Node *b, const char *other) {
    char **ones = g_strsplit(one, "\n", -1), **others = g_strsplit(other, "\n", -1);
    char *words = NULL;

    for (size_t i = 0; !words && ones[i] && others[i]; i++)
        if (strcmp(ones[i], others[i]) != 0)
            words =
                g_strdup_printf("%s sees [%s], %s sees [%s]", a->name, ones[i], b->name, others[i]);
    g_strfreev(ones);
    g_strfreev(others);
    return words;
}

/* A document that is not whole anywhere yet is seen alike; it must be whole. */
static char *first_part(const Node *node, const char *view) {
    return strstr(view, ", in part\n")
               ? g_strdup_printf("%s has not the whole of a document", node->name)
               : NULL;
}

static void count_id(GHashTable *counts, const MeshHash *id) {
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, id->bytes));

    g_hash_table_insert(counts, g_memdup2(id->bytes, MESH_HASH_SIZE), GUINT_TO_POINTER(count + 1));
}

/* How often a node shows each message and motion. The caller unrefs. */
static GHashTable *shown(const Node *node) {
    GHashTable *counts = g_hash_table_new_full(ledger_key_hash, ledger_key_equal, g_free, NULL);
    MeshMessage message;
    MeshMotion motion;

    for (size_t i = 0; mesh_message(node->mesh, i, &message); i++)
        count_id(counts, &message.id);
    for (size_t i = 0; mesh_motion(node->mesh, i, &motion); i++)
        count_id(counts, &motion.id);
    return counts;
}

static char *first_missing(const World *world, const Node *node) {
    GHashTable *counts = shown(node);
    char *words = NULL;

    for (size_t i = 0; i < ledger_count(world->ledger) && !words; i++) {
        const Ask *ask = ledger_ask(world->ledger, i);

        if ((ask->kind == MESH_INTENT_SAY || ask->kind == MESH_INTENT_MOTION_OPEN) &&
            ask_succeeded(ask) && is_present(ask->node) &&
            GPOINTER_TO_UINT(g_hash_table_lookup(counts, ask->hash.bytes)) != 1)
            words = g_strdup_printf("%s does not show once what %s was told is done: %s",
                                    node->name, ask->node->name, ask->said);
    }
    g_hash_table_unref(counts);
    return words;
}

/* Every vote that was acknowledged counts while its motion is open. */
static char *first_uncounted(const World *world, const Node *node) {
    MeshMotion motion;

    for (size_t i = 0; mesh_motion(node->mesh, i, &motion); i++) {
        unsigned votes = 0;

        for (unsigned j = 0; j < world->node_count; j++)
            votes += is_present(world->nodes[j]) &&
                     ledger_vote(world->ledger, world->nodes[j], &motion.id);
        if (motion.state == MESH_MOTION_OPEN && motion.counted < votes)
            return g_strdup_printf("%s counts %u votes of %u on `%s`", node->name, motion.counted,
                                   votes, motion.text);
    }
    return NULL;
}

/* What is not as it must be; NULL: all is. The caller frees. */
static char *differ(const World *world) {
    const Node *first = NULL;
    char *view = NULL, *words = NULL;

    for (unsigned i = 0; i < world->node_count && !words; i++) {
        const Node *node = world->nodes[i];
        char *other;

        if (!is_present(node))
            continue;
        other = see(node);
        if (node->upload)
            words = g_strdup_printf("%s is still adding a document", node->name);
        else if (ledger_waiting(world->ledger, node) > 0)
            words = g_strdup_printf("%s has not answered %zu intents", node->name,
                                    ledger_waiting(world->ledger, node));
        else if (mesh_info(node->mesh).status != MESH_STATUS_MEMBER)
            words = g_strdup_printf("%s is not a member", node->name);
        else if (first)
            words = first_difference(first, view, node, other);
        if (!words)
            words = first_part(node, other);
        if (!words)
            words = first_missing(world, node);
        if (!words)
            words = first_uncounted(world, node);
        if (!first) {
            first = node;
            view = g_steal_pointer(&other);
        }
        g_free(other);
    }
    g_free(view);
    return words;
}

/* ---- what takes longer ---- */

static void check_leaf(Node *node, const MeshDocument *document, uint32_t leaf) {
    uint8_t key[MESH_ITEM_KEY_MAX], wanted[LEAF_SIZE], plain[LEAF_SIZE];
    MeshItem item = {.kind = MESH_ITEM_BLOCK, .key = key};
    size_t length = MIN(LEAF_SIZE, document->size - (uint64_t)leaf * LEAF_SIZE), got = 0;
    MeshError error =
        mesh_document_leaf_key(node->mesh, &document->id, leaf, key, &item.key_length);
    GBytes *value = error == MESH_OK ? store_fetch(node->store, &item) : NULL;

    if (value) {
        size_t sealed_length;
        const uint8_t *sealed = g_bytes_get_data(value, &sealed_length);

        error = mesh_document_leaf_open(node->mesh, &document->id, leaf, sealed, sealed_length,
                                        plain, &got);
        g_bytes_unref(value);
    }
    person_document_bytes(document->name, (uint64_t)leaf * LEAF_SIZE, wanted, length);
    world_expect(node->world,
                 error == MESH_OK && got == length && memcmp(plain, wanted, length) == 0,
                 "%s: leaf %u of %s is missing or wrong: %s", node->name, leaf, document->name,
                 mesh_error_text(error));
}

static void check_documents(Node *node) {
    MeshDocument document;

    for (size_t i = 0; mesh_document(node->mesh, i, &document); i++)
        for (uint32_t leaf = 0; (uint64_t)leaf * LEAF_SIZE < document.size; leaf++)
            if (document.have == document.size && !node->world->failure)
                check_leaf(node, &document, leaf);
}

static void check_node(Node *node) {
    World *world = node->world;

    ledger_check_own(world->ledger, node);
    check_documents(node);
    world_expect(world, ledger_waiting(world->ledger, node) == 0, "%s never answered %zu intents",
                 node->name, ledger_waiting(world->ledger, node));
    world_expect(world, world->noisy || mesh_counters(node->mesh).malformed == 0,
                 "%s found honest datagrams malformed", node->name);
}

/* All that is seen goes into the trace, for whoever looks for the reason. */
static void note_views(World *world) {
    for (unsigned i = 0; i < world->node_count; i++) {
        const Node *node = world->nodes[i];
        char *view, **lines;

        if (!is_present(node))
            continue;
        view = see(node);
        lines = g_strsplit(view, "\n", -1);
        for (size_t j = 0; lines[j]; j++)
            world_note(world, "%s sees %s", node->name, lines[j]);
        g_strfreev(lines);
        g_free(view);
        for (unsigned j = 0; j < world->node_count; j++)
            world_note(world, "%s is linked to %s by a path of kind %d", node->name,
                       world->nodes[j]->name, check_path(node, world->nodes[j]));
    }
}

bool check_settle(World *world, uint64_t within_us) {
    uint64_t until_us = world_now_us(world) + within_us;
    char *words = differ(world);

    while (words && !world->failure && world_now_us(world) < until_us) {
        world_run(world, LOOK_US, NULL, NULL);
        g_free(words);
        words = differ(world);
    }
    if (words && !world->failure)
        note_views(world);
    world_expect(world, !words, "no agreement: %s", words);
    g_free(words);
    for (unsigned i = 0; i < world->node_count && !world->failure; i++)
        if (is_present(world->nodes[i]))
            check_node(world->nodes[i]);
    return !world->failure;
}

/* ---- links ---- */

MeshPathKind check_path(const Node *node, const Node *other) {
    MeshMember member;

    for (size_t i = 0; node->mesh && mesh_member(node->mesh, i, &member); i++)
        if (ledger_key_equal(member.key.bytes, other->key.bytes))
            return member.state == MESH_LINK_UP ? member.path.kind : MESH_PATH_NONE;
    return MESH_PATH_NONE;
}

static char *first_unlinked(const World *world, unsigned kinds) {
    for (unsigned a = 0; a < world->node_count; a++)
        for (unsigned b = 0; b < world->node_count; b++) {
            const Node *one = world->nodes[a], *other = world->nodes[b];

            if (a != b && is_present(one) && is_present(other) &&
                !(kinds >> check_path(one, other) & 1))
                return g_strdup_printf("%s is linked to %s by a path of kind %d", one->name,
                                       other->name, check_path(one, other));
        }
    return NULL;
}

bool check_linked(World *world, unsigned kinds, uint64_t within_us) {
    uint64_t until_us = world_now_us(world) + within_us;
    char *words = first_unlinked(world, kinds);

    while (words && !world->failure && world_now_us(world) < until_us) {
        world_run(world, LOOK_US, NULL, NULL);
        g_free(words);
        words = first_unlinked(world, kinds);
    }
    world_expect(world, !words, "not linked as wanted: %s", words);
    g_free(words);
    return !world->failure;
}

/* ---- ways ---- */

/* What a node's view says of another; false: nothing. The order of members is the same for all who
 * agree, so that the place is a good guess. */
static bool find_member(const Node *node, const Node *other, size_t *place,
                        MeshMember *ret_member) {
    if (mesh_member(node->mesh, *place, ret_member) &&
        ledger_key_equal(ret_member->key.bytes, other->key.bytes))
        return true;
    for (*place = 0; mesh_member(node->mesh, *place, ret_member); ++*place)
        if (ledger_key_equal(ret_member->key.bytes, other->key.bytes))
            return true;
    return false;
}

/* From node to node, as each of them says; what is wrong with the way, NULL: nothing. */
static char *follow(const World *world, const Node *from, const Node *to, size_t *place) {
    const Node *at = from;

    for (unsigned hops = 0; at != to; hops++) {
        MeshMember member;
        const Node *next;

        if (!find_member(at, to, place, &member) || member.state != MESH_LINK_UP)
            return g_strdup_printf("%s does not reach %s, by way of %s", from->name, to->name,
                                   at->name);
        next = member.path.kind == MESH_PATH_RELAY ? world_find(world, &member.via) : to;
        if (!next || !next->mesh || hops > world->node_count)
            return g_strdup_printf("the way from %s to %s goes in circles, or nowhere, at %s",
                                   from->name, to->name, at->name);
        at = next;
    }
    return NULL;
}

static char *first_unreached(const World *world) {
    size_t place = 0;

    for (unsigned to = 0; to < world->node_count; to++)
        for (unsigned from = 0; from < world->node_count; from++) {
            char *words = is_present(world->nodes[from]) && is_present(world->nodes[to])
                              ? follow(world, world->nodes[from], world->nodes[to], &place)
                              : NULL;

            if (words)
                return words;
        }
    return NULL;
}

bool check_reached(World *world, uint64_t within_us) {
    uint64_t until_us = world_now_us(world) + within_us;
    char *words = first_unreached(world);

    while (words && !world->failure && world_now_us(world) < until_us) {
        world_run(world, LOOK_US, NULL, NULL);
        g_free(words);
        words = first_unreached(world);
    }
    world_expect(world, !words, "%s", words);
    g_free(words);
    return !world->failure;
}
