/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/person.h"

#include <string.h>

#define ANSWER_US (10 * SECOND_US)
#define LEAF_SIZE 4096
#define VALID_S   86400

static bool is_answered(gpointer context) {
    return ((const Ask *)context)->state != ASK_WAITING;
}

const Ask *person_ask(Node *node, MeshIntent intent) {
    Ask *ask;

    if (!node->mesh || node->world->failure)
        return NULL;
    ask = ledger_add(node->world->ledger, node, &intent);
    intent.tag = ask->tag;
    intent.at_ms =
        (uint64_t)(WORLD_BEGIN_S + node->clock_s) * 1000 + world_now_us(node->world) / 1000;
    node_step(node, &(MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &intent});
    return ask;
}

bool person_must(Node *node, MeshIntent intent, uint64_t within_us, const Ask **ret_ask) {
    World *world = node->world;
    const Ask *ask = person_ask(node, intent);

    if (!ask)
        return world_fail(world, "%s does not run, and was asked something", node->name);
    world_run(world, within_us, is_answered, (gpointer)ask);
    if (ret_ask)
        *ret_ask = ask;
    return world_expect(world, ask->state != ASK_WAITING, "%s did not answer intent %d in time",
                        node->name, intent.kind) &&
           world_expect(world, ask->error == MESH_OK, "%s refused intent %d: %s", node->name,
                        intent.kind, mesh_error_text(ask->error));
}

void person_create(Node *node, const char *title) {
    node->place = NODE_MEMBER;
    person_must(node, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = title, .profile = "meeting"},
                ANSWER_US, NULL);
}

const char *person_invite(Node *node, MeshRole role, uint32_t uses) {
    MeshIntent intent = {.kind = MESH_INTENT_INVITE, .role = role, .uses = uses};
    const Ask *ask;

    intent.expires_at = WORLD_BEGIN_S + world_now_us(node->world) / SECOND_US + VALID_S;
    if (!person_must(node, intent, ANSWER_US, &ask) ||
        !world_expect(node->world, ask->text && strlen(ask->text) <= MESH_TICKET_MAX,
                      "%s gave no ticket, or a long one", node->name))
        return "";
    return ask->text;
}

void person_join(Node *node, const char *ticket, uint64_t within_us) {
    node->place = NODE_MEMBER;
    person_must(node, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket}, within_us, NULL);
    world_note(node->world, "%s joined", node->name);
}

void person_join_relay(Node *node, const char *ticket, uint64_t within_us) {
    MeshIntent intent = {.kind = MESH_INTENT_JOIN, .text = ticket, .role = MESH_ROLE_RELAY};

    node->place = NODE_RELAY;
    person_must(node, intent, within_us, NULL);
    world_note(node->world, "%s joined to carry", node->name);
}

MeshError person_try(Node *node, const char *ticket) {
    const Ask *ask = person_ask(node, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});

    if (!ask)
        return MESH_ERROR_STATE;
    world_run(node->world, 5 * MINUTE_US, is_answered, (gpointer)ask);
    world_expect(node->world, ask->state == ASK_DONE, "%s is never told that it cannot join",
                 node->name);
    return ask->error;
}

void person_say(Node *node, const char *format, ...) {
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    person_ask(node, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text});
    g_free(text);
}

MeshHash person_open(Node *node, const char *text) {
    const Ask *ask = NULL;

    person_must(node, (MeshIntent){.kind = MESH_INTENT_MOTION_OPEN, .text = text}, ANSWER_US, &ask);
    return ask ? ask->hash : (MeshHash){{0}};
}

void person_vote(Node *node, const MeshHash *motion, const char *choice) {
    person_ask(node, (MeshIntent){.kind = MESH_INTENT_VOTE, .hash = *motion, .choice = choice});
}

void person_expel(Node *node, Node *other) {
    other->place = NODE_EXPELLED;
    person_must(node, (MeshIntent){.kind = MESH_INTENT_EXPEL, .key = other->key}, ANSWER_US, NULL);
}

/* ---- documents ---- */

struct Upload {
    char *name;
    uint64_t size;
    uint64_t done; /* bytes given */
    MeshHash handle;
};

void person_upload_destroy(gpointer data) {
    Upload *upload = data;

    if (!upload)
        return;
    g_free(upload->name);
    g_free(upload);
}

void person_document_bytes(const char *name, uint64_t offset, uint8_t *ret_bytes, size_t length) {
    Dice dice;

    emulator_random_init(&dice, g_str_hash(name) + offset / LEAF_SIZE * 0x10001);
    dice_bytes(&dice, ret_bytes, length);
}

/* One leaf after the other, as the disk takes them, then the end. */
static void upload_next(Node *node, gpointer context) {
    Upload *upload = context;
    uint8_t leaf[LEAF_SIZE];
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_END, .hash = upload->handle};

    if (upload->done < upload->size) {
        intent.kind = MESH_INTENT_DOCUMENT_LEAF;
        intent.bytes = (Bytes){leaf, MIN(sizeof leaf, upload->size - upload->done)};
        person_document_bytes(upload->name, upload->done, leaf, intent.bytes.length);
        upload->done += intent.bytes.length;
    } else {
        intent.text = upload->name;
        intent.size = upload->size;
    }
    person_ask(node, intent);
}

static void cancel(Node *node, gpointer context) {
    const MeshHash *handle = context;

    person_ask(node, (MeshIntent){.kind = MESH_INTENT_DOCUMENT_CANCEL, .hash = *handle});
}

static void upload_done(Node *node, const Ask *ask) {
    Upload *upload = node->upload;

    world_expect(node->world, ask->error == MESH_OK || ask->error == MESH_ERROR_STORE,
                 "%s refuses a document: %s", node->name, mesh_error_text(ask->error));
    if (ask->kind == MESH_INTENT_DOCUMENT_BEGIN)
        upload->handle = ask->hash;
    if (ask->error == MESH_OK && ask->kind != MESH_INTENT_DOCUMENT_END) {
        node_later(node, 0, upload_next, upload, NULL);
        return;
    }
    if (ask->kind == MESH_INTENT_DOCUMENT_LEAF)
        node_later(node, 0, cancel, g_memdup2(&upload->handle, sizeof upload->handle), g_free);
    g_clear_pointer(&node->upload, person_upload_destroy);
}

void person_add(Node *node, uint64_t size) {
    Upload *upload;
    MeshIntent intent = {.kind = MESH_INTENT_DOCUMENT_BEGIN, .size = size};

    if (node->upload || !node->mesh || node->world->failure)
        return;
    node->upload = upload = g_new0(Upload, 1);
    upload->name = g_strdup_printf("plan-%s%zu.pdf", node->name, ledger_count(node->world->ledger));
    upload->size = size;
    intent.text = upload->name;
    person_ask(node, intent);
}

/* ---- answers ---- */

void person_done(Node *node, const MeshEffect *effect) {
    Ask *ask = ledger_find(node->world->ledger, effect->done.tag);

    if (!world_expect(node->world, ask && ask->node == node && ask->state == ASK_WAITING,
                      "%s answers what it was not asked, or twice", node->name))
        return;
    ask->state = ASK_DONE;
    ask->error = effect->done.error;
    ask->hash = effect->done.hash;
    ask->text = g_strdup(effect->done.text);
    world_expect(node->world, ask->error != MESH_ERROR_NO_MEMORY, "%s ran out of memory",
                 node->name);
    if (node->upload &&
        (ask->kind == MESH_INTENT_DOCUMENT_BEGIN || ask->kind == MESH_INTENT_DOCUMENT_LEAF ||
         ask->kind == MESH_INTENT_DOCUMENT_END))
        upload_done(node, ask);
}

void person_forget(Node *node) {
    Ask *ask;

    for (size_t i = 0; (ask = ledger_ask_of(node->world->ledger, node, i)); i++)
        if (ask->state == ASK_WAITING)
            ask->state = ASK_LOST;
    g_clear_pointer(&node->upload, person_upload_destroy);
}
