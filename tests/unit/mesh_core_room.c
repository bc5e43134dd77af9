/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/unit/mesh_core_room.h"

#include <string.h>

#define LATENCY_US 1000
#define WAIT_US    (30 * S)

typedef struct {
    MeshItemKind kind;
    GBytes *key, *value;
    uint64_t token; /* of a write */
} Item;

/* A datagram, a commit or a block from the disk that is on its way to a node. */
typedef struct {
    uint64_t at_us;
    guint to;
    MeshEventKind kind;
    MeshPath from;
    uint64_t token;
    GBytes *bytes;
} Parcel;

static void item_free(gpointer data) {
    Item *item = data;

    g_bytes_unref(item->key);
    g_bytes_unref(item->value);
    g_free(item);
}

static void done_clear(gpointer data) {
    g_free(((RoomDone *)data)->text);
}

Room *room_new(void) {
    Room *room = g_new0(Room, 1);

    room->now_us = S;
    room->latency_us = LATENCY_US;
    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {(uint8_t)(i + 1)};
        Peer *peer = &room->peers[i];

        *peer = (Peer){.room = room, .number = i, .key = mesh_key_of_seed(seed)};
        peer->address = (MeshPath){.kind = MESH_PATH_KNOCK,
                                   .family = 4,
                                   .port = (uint16_t)(7000 + i),
                                   .ip = {10, 0, 0, (uint8_t)(i + 1)}};
        peer->address6 = (MeshPath){.kind = MESH_PATH_KNOCK,
                                    .family = 6,
                                    .port = (uint16_t)(7000 + i),
                                    .ip = {0x20, 1, [15] = (uint8_t)(i + 1)}};
        peer->items = g_ptr_array_new_with_free_func(item_free);
        peer->writes = g_ptr_array_new_with_free_func(item_free);
        peer->done = g_array_new(FALSE, TRUE, sizeof(RoomDone));
        g_array_set_clear_func(peer->done, done_clear);
    }
    return room;
}

static void parcel_free(gpointer data) {
    Parcel *parcel = data;

    g_clear_pointer(&parcel->bytes, g_bytes_unref);
    g_free(parcel);
}

void room_free(Room *room) {
    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        peer_stop(&room->peers[i]);
        g_ptr_array_unref(room->peers[i].items);
        g_ptr_array_unref(room->peers[i].writes);
        g_array_unref(room->peers[i].done);
    }
    g_queue_clear_full(&room->under_way, parcel_free);
    g_free(room);
}

static void post(Room *room, guint to, MeshEventKind kind, const MeshPath *from, uint64_t token,
                 GBytes *bytes) {
    Parcel *parcel = g_new0(Parcel, 1);

    *parcel = (Parcel){.at_us = room->now_us + room->latency_us,
                       .to = to,
                       .kind = kind,
                       .token = token,
                       .bytes = bytes};
    if (from) {
        parcel->from = *from;
    }
    g_queue_push_tail(&room->under_way, parcel);
}

/* ---- the disk ---- */

static Item *find_item(const Peer *peer, const MeshItem *wanted) {
    for (guint i = 0; i < peer->items->len; i++) {
        Item *item = peer->items->pdata[i];
        gsize length;
        const void *key = g_bytes_get_data(item->key, &length);

        if (item->kind == wanted->kind && length == wanted->key_length &&
            !memcmp(key, wanted->key, length)) {
            return item;
        }
    }
    return NULL;
}

static Item *item_new(const MeshItem *given, uint64_t token) {
    Item *item = g_new0(Item, 1);

    item->kind = given->kind;
    item->key = g_bytes_new(given->key, given->key_length);
    item->value = g_bytes_new(given->value, given->value_length);
    item->token = token;
    return item;
}

static void commit(Peer *peer) {
    MeshEvent event = {.kind = peer->disk_full ? MESH_EVENT_STORE_FAILED : MESH_EVENT_STORED};

    peer->committing = false;
    while (peer->writes->len > 0) {
        Item *write = g_ptr_array_steal_index(peer->writes, 0);
        MeshItem key = {.kind = write->kind};
        Item *former;

        key.key = g_bytes_get_data(write->key, &key.key_length);
        former = find_item(peer, &key);
        event.stored.token = write->token;
        if (peer->disk_full) {
            item_free(write);
        } else if (former) {
            g_bytes_unref(former->value);
            former->value = g_bytes_ref(write->value);
            item_free(write);
        } else {
            g_ptr_array_add(peer->items, write);
        }
    }
    if (event.stored.token > 0) {
        peer_step(peer, &event);
    }
}

static void keep(Peer *peer, const MeshEffect *effect) {
    const MeshItem *given = &effect->store.item;
    Item *item = find_item(peer, given);

    g_assert_cmpuint(given->key_length, >=, 1);
    g_assert_cmpuint(given->key_length, <=, MESH_ITEM_KEY_MAX);
    if (effect->kind == MESH_EFFECT_FETCH) {
        post(peer->room, peer->number, MESH_EVENT_FETCHED, NULL, effect->store.token,
             item ? g_bytes_ref(item->value) : NULL);
        return;
    }
    if (effect->kind == MESH_EFFECT_FORGET) {
        if (item) {
            g_ptr_array_remove(peer->items, item);
        }
        return;
    }
    g_ptr_array_add(peer->writes, item_new(given, effect->store.token));
    if (!peer->committing) {
        peer->committing = true;
        post(peer->room, peer->number, MESH_EVENT_STORED, NULL, 0, NULL);
    }
}

/* ---- the network ---- */

static void send_by(Peer *peer, bool six, const MeshPath *to, const uint8_t *bytes, size_t length) {
    Room *room = peer->room;

    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        const Peer *other = &room->peers[i];
        g_autofree uint8_t *copy = g_memdup2(bytes, length);

        if (i == peer->number ||
            (to && !mesh_path_equal(to, six ? &other->address6 : &other->address))) {
            continue;
        }
        if (room->filter && !room->filter(room, peer->number, i, copy, length)) {
            continue;
        }
        post(room, i, MESH_EVENT_DATAGRAM, six ? &peer->address6 : &peer->address, 0,
             g_bytes_new(copy, length));
    }
}

static void send(Peer *peer, const MeshPath *to, const uint8_t *bytes, size_t length) {
    if (peer->room->lost_family != 4) {
        send_by(peer, false, to, bytes, length);
    }
    if (peer->room->two_families && peer->room->lost_family != 6) {
        send_by(peer, true, to, bytes, length);
    }
}

static void act(Peer *peer, const MeshEffect *effect) {
    RoomDone done = {0};

    switch (effect->kind) {
    case MESH_EFFECT_SEND:
        send(peer, &effect->send.path, effect->send.bytes, effect->send.length);
        break;
    case MESH_EFFECT_BEACON:
        if (!peer->room->no_beacon) {
            send(peer, NULL, effect->send.bytes, effect->send.length);
        }
        break;
    case MESH_EFFECT_PERSIST:
    case MESH_EFFECT_FORGET:
    case MESH_EFFECT_FETCH:
        keep(peer, effect);
        break;
    case MESH_EFFECT_STREAM_OPEN:
        peer->opened++;
        break;
    case MESH_EFFECT_STREAM_CLOSE:
        peer->closed++;
        break;
    case MESH_EFFECT_FRAME:
        peer->frames++;
        break;
    case MESH_EFFECT_KEYFRAME:
        peer->keyframes++;
        break;
    case MESH_EFFECT_NOTIFY:
        peer->notices[effect->notify.notice]++;
        peer->ends[effect->notify.end]++;
        break;
    case MESH_EFFECT_DONE:
        g_assert_null(peer_result(peer, effect->done.tag));
        done = (RoomDone){.tag = effect->done.tag,
                          .error = effect->done.error,
                          .hash = effect->done.hash,
                          .text = g_strdup(effect->done.text)};
        g_array_append_val(peer->done, done);
        break;
    default: /* no ICE here: what is asked for never comes */
        break;
    }
}

/* ---- nodes ---- */

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    Peer *peer = context;

    for (size_t i = 0; i < length; i++) {
        uint32_t word = (peer->drawn++ * 4 + peer->number + 1) * 2654435761u;

        word = (word ^ word >> 15) * 2246822519u;
        ret_bytes[i] = (uint8_t)(word >> 11);
    }
}

void peer_step(Peer *peer, const MeshEvent *event) {
    MeshEvent stamped = *event;
    MeshEffect effect;

    if (!peer->mesh) {
        return;
    }
    stamped.now_us = peer->room->now_us;
    stamped.now_s = ROOM_BEGIN_S + peer->room->now_us / S;
    mesh_step(peer->mesh, &stamped);
    while (mesh_next_effect(peer->mesh, &effect)) {
        act(peer, &effect);
    }
    if (peer->crash_in > 0 && --peer->crash_in == 0) {
        peer_stop(peer);
    }
}

Peer *room_start(Room *room, guint number) {
    static const char *const names[] = {"Alice", "Bob", "Chloé", "David"};
    Peer *peer = &room->peers[number];
    MeshOptions options = {.name = names[number],
                           .device_seed = {(uint8_t)(number + 1)},
                           .random = draw,
                           .random_context = peer,
                           .now_us = room->now_us,
                           .document_fetch_max = MESH_DOCUMENT_SIZE_MAX,
                           .store_max = peer->store_max};

    g_assert_null(peer->mesh);
    peer->committing = false;
    peer->mesh = mesh_create(&options);
    for (guint i = 0; i < peer->items->len; i++) {
        const Item *item = peer->items->pdata[i];
        MeshEvent event = {.kind = MESH_EVENT_LOADED, .item.kind = item->kind};

        event.item.key = g_bytes_get_data(item->key, &event.item.key_length);
        event.item.value = g_bytes_get_data(item->value, &event.item.value_length);
        peer_step(peer, &event);
    }
    peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_LOADED_END});
    peer_tell_addresses(peer);
    return peer;
}

void peer_tell_addresses(Peer *peer) {
    const MeshPath paths[] = {peer->address6, peer->address};
    bool both = peer->room->two_families;

    peer_step(peer, &(MeshEvent){
                        .kind = MESH_EVENT_ADDRESSES,
                        .addresses = {.paths = both ? paths : paths + 1, .count = both ? 2 : 1}});
}

void peer_stop(Peer *peer) {
    Room *room = peer->room;

    g_clear_pointer(&peer->mesh, mesh_destroy);
    g_ptr_array_set_size(peer->writes, 0);
    for (GList *link = room->under_way.head, *next; link; link = next) {
        Parcel *parcel = link->data;

        next = link->next;
        if (parcel->to == peer->number && parcel->kind != MESH_EVENT_DATAGRAM) {
            parcel_free(parcel);
            g_queue_delete_link(&room->under_way, link);
        }
    }
}

static void deliver(Room *room) {
    Parcel *parcel = g_queue_pop_head(&room->under_way);
    Peer *peer = &room->peers[parcel->to];
    MeshEvent event = {.kind = parcel->kind};

    if (parcel->kind == MESH_EVENT_STORED) {
        commit(peer);
    } else if (parcel->kind == MESH_EVENT_FETCHED) {
        event.stored.token = parcel->token;
        if (parcel->bytes) {
            event.stored.bytes.data = g_bytes_get_data(parcel->bytes, &event.stored.bytes.length);
        }
        peer_step(peer, &event);
    } else {
        event.datagram.path = parcel->from;
        event.datagram.bytes = g_bytes_get_data(parcel->bytes, &event.datagram.length);
        peer_step(peer, &event);
    }
    parcel_free(parcel);
}

/* The next moment at which something happens, at most `until_us`; does it. */
static void advance(Room *room, uint64_t until_us) {
    const Parcel *first = g_queue_peek_head(&room->under_way);
    uint64_t next_us = first && first->at_us < until_us ? first->at_us : until_us;
    Peer *due = NULL;

    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        Peer *peer = &room->peers[i];
        uint64_t deadline_us = peer->mesh ? mesh_deadline_us(peer->mesh) : UINT64_MAX;

        if (deadline_us < next_us) {
            next_us = deadline_us;
            due = peer;
        }
    }
    room->now_us = next_us > room->now_us ? next_us : room->now_us;
    if (due) {
        peer_step(due, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    } else if (first && first->at_us <= room->now_us) {
        deliver(room);
    }
}

void room_run(Room *room, uint64_t for_us) {
    uint64_t until_us = room->now_us + for_us;
    guint still = 0;

    while (room->now_us < until_us) {
        uint64_t before_us = room->now_us;

        advance(room, until_us);
        still = room->now_us == before_us ? still + 1 : 0;
        g_assert_cmpuint(still, <, 20000); /* a deadline stays in the past */
    }
}

bool room_until(Room *room, bool (*holds)(Peer *peer), Peer *peer) {
    uint64_t until_us = room->now_us + WAIT_US;

    while (!holds(peer) && room->now_us < until_us) {
        advance(room, until_us);
    }
    return holds(peer);
}

/* ---- intents ---- */

uint64_t peer_begin(Peer *peer, MeshIntent intent) {
    static uint64_t tag;

    intent.tag = ++tag;
    peer_step(peer, &(MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &intent});
    return intent.tag;
}

const RoomDone *peer_result(const Peer *peer, uint64_t tag) {
    for (guint i = 0; i < peer->done->len; i++) {
        const RoomDone *done = &g_array_index(peer->done, RoomDone, i);

        if (done->tag == tag) {
            return done;
        }
    }
    return NULL;
}

const RoomDone *peer_ask(Peer *peer, MeshIntent intent) {
    uint64_t tag = peer_begin(peer, intent);
    uint64_t until_us = peer->room->now_us + WAIT_US;

    while (!peer_result(peer, tag) && peer->room->now_us < until_us) {
        advance(peer->room, until_us);
    }
    g_assert_nonnull(peer_result(peer, tag));
    return peer_result(peer, tag);
}

/* ---- what tests often want ---- */

bool peer_keeps(const Peer *peer, Bytes wanted) {
    for (guint i = 0; i < peer->items->len; i++) {
        const Item *item = peer->items->pdata[i];
        Bytes value, key;

        value.data = g_bytes_get_data(item->value, &value.length);
        key.data = g_bytes_get_data(item->key, &key.length);
        if (bytes_hold(value, wanted) || bytes_hold(key, wanted)) {
            return true;
        }
    }
    return false;
}

void room_expect_message(Room *room, guint mask, const char *text) {
    uint64_t until_us = room->now_us + WAIT_US;

    for (guint i = 0; i < ROOM_PEERS_SIZE; i++) {
        while (mask >> i & 1 && !peer_has_message(&room->peers[i], text) &&
               room->now_us < until_us) {
            advance(room, until_us);
        }
        g_assert_true(!(mask >> i & 1) || peer_has_message(&room->peers[i], text));
    }
}
