/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/fuzz/fuzz_pair.h"

#include "tests/fuzz/fuzz.h"

#define STEPS 20000 /* more within one op: it goes in circles */

Side pair_sides[2];
Side *const pair_target = &pair_sides[FUZZ_RELAY];
Side *const pair_hostile = &pair_sides[!FUZZ_RELAY];
uint64_t pair_now_us;
bool pair_is_silent;
bool pair_keeps_key;
static bool making;
static char *ticket;

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    Side *side = context;

    for (size_t i = 0; i < length; i++) {
        uint32_t word = (side->drawn++ * 2 + (side == pair_sides)) * 2654435761u;

        ret_bytes[i] = (uint8_t)((word ^ word >> 15) * 2246822519u >> 13);
    }
}

static void keep(Kept *kept, const MeshItem *item) {
    free(kept->value);
    *kept = (Kept){.item = *item};
    memcpy(kept->key, item->key, item->key_length);
    kept->value = fuzz_copy(item->value, item->value_length);
    kept->item.key = kept->key;
    kept->item.value = kept->value;
}

static void send(const Side *from, const MeshEffect *effect) {
    Side *to = from == pair_sides ? pair_sides + 1 : pair_sides;
    Parcel *parcel = &to->under_way[(to->head + to->count) % UNDER_WAY_SIZE];

    FUZZ_CHECK(effect->send.length >= 1 && effect->send.length <= MESH_DATAGRAM_MAX);
    if (pair_is_silent || to->count == UNDER_WAY_SIZE ||
        (effect->kind == MESH_EFFECT_SEND && !mesh_path_equal(&effect->send.path, &to->address))) {
        return;
    }
    to->count++;
    parcel->from = from->address;
    parcel->length = effect->send.length;
    memcpy(parcel->bytes, effect->send.bytes, parcel->length);
}

static bool holds(const MeshItem *item, const uint8_t key[32]) {
    for (size_t i = 0; i + 32 <= item->value_length; i++) {
        if (!memcmp(item->value + i, key, 32)) {
            return true;
        }
    }
    return false;
}

static void persist(Side *side, const MeshItem *item) {
    if (FUZZ_RELAY && side == pair_target && item->kind == MESH_ITEM_STATE &&
        pair_sides[0].mesh->meeting.key_count > 0) {
        pair_keeps_key = pair_keeps_key || holds(item, pair_sides[0].mesh->meeting.keys[0].key);
    }
    if (making) {
        FUZZ_CHECK(side->kept_count < ITEMS_SIZE);
        keep(&side->kept[side->kept_count++], item);
    }
    if (item->kind == MESH_ITEM_BLOCK) {
        keep(&side->blocks[side->block_count++ % BLOCKS_SIZE], item);
    }
}

static void fetch(Side *side, uint64_t token, const MeshItem *wanted) {
    MeshEvent event = {.kind = MESH_EVENT_FETCHED, .stored = {.token = token}};

    for (size_t i = 0; i < BLOCKS_SIZE; i++) {
        const Kept *kept = &side->blocks[i];

        if (kept->value && kept->item.key_length == wanted->key_length &&
            !memcmp(kept->key, wanted->key, wanted->key_length)) {
            event.stored.bytes = BYTES_AT(kept->value, kept->item.value_length);
        }
    }
    pair_step(side, event);
}

/* Takes what the step wanted; the token of the last PERSIST, and a FETCH. */
static void take_effects(Side *side, uint64_t *ret_persist) {
    MeshEffect effect;
    MeshEffect fetches[MESH_BLOCKS_WANTED_MAX];
    uint8_t keys[MESH_BLOCKS_WANTED_MAX][MESH_ITEM_KEY_MAX];
    unsigned fetch_count = 0;
    unsigned count = 0;

    while (mesh_next_effect(side->mesh, &effect)) {
        FUZZ_CHECK(++count <= 2 * MESH_EFFECTS_MAX);
        switch (effect.kind) {
        case MESH_EFFECT_SEND:
        case MESH_EFFECT_BEACON:
            send(side, &effect);
            break;
        case MESH_EFFECT_PERSIST:
            persist(side, &effect.store.item);
            *ret_persist = effect.store.token;
            break;
        case MESH_EFFECT_FETCH:
            FUZZ_CHECK(fetch_count < MESH_BLOCKS_WANTED_MAX);
            fetches[fetch_count] = effect;
            memcpy(keys[fetch_count], effect.store.item.key, effect.store.item.key_length);
            fetches[fetch_count].store.item.key = keys[fetch_count];
            fetch_count++;
            break;
        case MESH_EFFECT_DONE:
            side->done = effect.done.error ? side->done : effect.done.tag;
            if (making && effect.done.text) {
                free(ticket);
                ticket =
                    (char *)fuzz_copy((const uint8_t *)effect.done.text, strlen(effect.done.text));
            }
            break;
        default:
            break;
        }
    }
    for (unsigned i = 0; i < fetch_count; i++) {
        fetch(side, fetches[i].store.token, &fetches[i].store.item);
    }
}

void pair_step(Side *side, MeshEvent event) {
    uint64_t stored = 0;

    event.now_us = pair_now_us;
    event.now_s = 1000000 + pair_now_us / S;
    mesh_step(side->mesh, &event);
    take_effects(side, &stored);
    if (stored) {
        pair_step(side,
                  (MeshEvent){.kind = side->disk_full ? MESH_EVENT_STORE_FAILED : MESH_EVENT_STORED,
                              .stored = {.token = stored}});
    }
}

void pair_run(uint64_t until_us) {
    unsigned steps = 0;

    while (pair_now_us < until_us) {
        uint64_t next_us = until_us;
        Side *due = NULL;

        FUZZ_CHECK(++steps < STEPS);
        for (unsigned i = 0; i < 2; i++) {
            uint64_t deadline_us = mesh_deadline_us(pair_sides[i].mesh);

            if (pair_sides[i].count > 0) {
                Parcel parcel = pair_sides[i].under_way[pair_sides[i].head];

                pair_sides[i].head = (pair_sides[i].head + 1) % UNDER_WAY_SIZE;
                pair_sides[i].count--;
                pair_step(&pair_sides[i], (MeshEvent){.kind = MESH_EVENT_DATAGRAM,
                                                      .datagram = {.path = parcel.from,
                                                                   .bytes = parcel.bytes,
                                                                   .length = parcel.length}});
                due = NULL;
                next_us = pair_now_us;
            } else if (deadline_us < next_us) {
                next_us = deadline_us;
                due = &pair_sides[i];
            }
        }
        pair_now_us = next_us > pair_now_us ? next_us : pair_now_us;
        if (due && pair_sides[0].count + pair_sides[1].count == 0) {
            pair_step(due, (MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        }
    }
}

void pair_start(unsigned number) {
    Side *side = &pair_sides[number];
    MeshOptions options = {.name = number ? "Mallory" : "Alice",
                           .device_seed = {(uint8_t)(number + 1)},
                           .random = draw,
                           .random_context = side,
                           .now_us = pair_now_us,
                           .document_fetch_max = MESH_DOCUMENT_SIZE_MAX};

    side->address = (MeshPath){.kind = MESH_PATH_KNOCK,
                               .family = 4,
                               .port = 7000,
                               .ip = {10, 0, 0, (uint8_t)(number + 1)}};
    side->count = 0;
    side->disk_full = false;
    side->mesh = mesh_create(&options);
    FUZZ_CHECK(side->mesh);
    for (size_t i = 0; i < side->kept_count; i++) {
        pair_step(side, (MeshEvent){.kind = MESH_EVENT_LOADED, .item = side->kept[i].item});
    }
    pair_step(side, (MeshEvent){.kind = MESH_EVENT_LOADED_END});
    pair_step(side, (MeshEvent){.kind = MESH_EVENT_ADDRESSES,
                                .addresses = {.paths = &side->address, .count = 1}});
}

void pair_stop(void) {
    mesh_destroy(pair_sides[0].mesh);
    mesh_destroy(pair_sides[1].mesh);
}

bool pair_ask(Side *side, MeshIntent intent) {
    static uint64_t tag;

    intent.tag = ++tag;
    pair_step(side, (MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &intent});
    return side->done == intent.tag;
}

bool pair_say(const char *text) {
    return pair_ask(pair_sides, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text});
}

void pair_forget_blocks(Side *side) {
    for (size_t i = 0; i < BLOCKS_SIZE; i++) {
        free(side->blocks[i].value);
        side->blocks[i] = (Kept){0};
    }
    side->block_count = 0;
}

void pair_make(void) {
    making = true;
    pair_now_us = S;
    pair_start(0);
    pair_start(1);
    FUZZ_CHECK(pair_ask(pair_sides, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Cellule"}));
    FUZZ_CHECK(
        pair_ask(pair_sides, (MeshIntent){.kind = MESH_INTENT_INVITE,
                                          .role = FUZZ_RELAY ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER,
                                          .uses = 1,
                                          .expires_at = UINT32_MAX}));
    pair_ask(pair_sides + 1, (MeshIntent){.kind = MESH_INTENT_JOIN,
                                          .text = ticket,
                                          .role = FUZZ_RELAY ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER});
    pair_run(3 * S);
    FUZZ_CHECK(pair_say("gardé"));
    FUZZ_CHECK(
        pair_ask(pair_sides, (MeshIntent){.kind = MESH_INTENT_MOTION_OPEN, .text = "Évacuer ?"}));
    pair_run(4 * S);
    FUZZ_CHECK(mesh_info(pair_sides[1].mesh).status == MESH_STATUS_MEMBER);
    making = false;
    pair_stop();
}
