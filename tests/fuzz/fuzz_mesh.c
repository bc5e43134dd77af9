/* SPDX-License-Identifier: MPL-2.0 */
/* A member who is let in and hostile, against the node of the founder: any messages through their
 * link, entries it signs, raw datagrams, a disk that fails, time that passes. Whatever comes, the
 * founder stays a member of its meeting, keeps what it wrote, and can write more.
 *
 * With FUZZ_RELAY the founder is hostile, against a relay: that stays in its meeting, and takes no
 * key. */
#include <sodium.h>

#include "mesh/core.h"
#include "tests/fuzz/fuzz.h"

enum { MESSAGE, ENTRY, DATAGRAM, FORWARD, DISK, INTENT, DOCUMENT, SILENCE, ICE, OPS };

#ifndef FUZZ_RELAY
#define FUZZ_RELAY 0
#endif

#define ITEMS_SIZE     64
#define BLOCKS_SIZE    16
#define UNDER_WAY_SIZE 256
#define BODY_SIZE      6000
#define STEPS          20000 /* more within one op: it goes in circles */
#define ESCAPE         0xfe  /* in a body: a word of the meeting follows, by its number */

typedef struct {
    MeshItem item;
    uint8_t key[MESH_ITEM_KEY_MAX];
    uint8_t *value;
} Kept;

typedef struct {
    MeshPath from;
    size_t length;
    uint8_t bytes[MESH_DATAGRAM_MAX];
} Parcel;

typedef struct {
    Mesh *mesh;
    MeshPath address;
    uint32_t drawn;
    bool disk_full;
    size_t kept_count;
    Kept kept[ITEMS_SIZE]; /* of the making of the meeting only */
    size_t block_count;
    Kept blocks[BLOCKS_SIZE]; /* the last ones, which alone can be fetched */
    size_t head, count;
    Parcel under_way[UNDER_WAY_SIZE];
    uint64_t done; /* tag of the last intent that ended well */
} Side;

static Side sides[2]; /* the founder, and whom it let in */
static Side *const target = &sides[FUZZ_RELAY];
static Side *const hostile = &sides[!FUZZ_RELAY];
static uint64_t now_us;
static bool making;
static bool silent; /* nothing is delivered */
static char *ticket;
static bool keeps_key; /* a relay keeps an epoch key as its own */

static void step(Side *side, MeshEvent event);

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    Side *side = context;

    for (size_t i = 0; i < length; i++) {
        uint32_t word = (side->drawn++ * 2 + (side == sides)) * 2654435761u;

        ret_bytes[i] = (uint8_t)((word ^ word >> 15) * 2246822519u >> 13);
    }
}

/* ---- effects ---- */

static void keep(Kept *kept, const MeshItem *item) {
    free(kept->value);
    *kept = (Kept){.item = *item};
    memcpy(kept->key, item->key, item->key_length);
    kept->value = fuzz_copy(item->value, item->value_length);
    kept->item.key = kept->key;
    kept->item.value = kept->value;
}

static void send(const Side *from, const MeshEffect *effect) {
    Side *to = from == sides ? sides + 1 : sides;
    Parcel *parcel = &to->under_way[(to->head + to->count) % UNDER_WAY_SIZE];

    FUZZ_CHECK(effect->send.length >= 1 && effect->send.length <= MESH_DATAGRAM_MAX);
    if (silent || to->count == UNDER_WAY_SIZE ||
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
    if (FUZZ_RELAY && side == target && item->kind == MESH_ITEM_STATE &&
        sides[0].mesh->meeting.key_count > 0) {
        keeps_key = keeps_key || holds(item, sides[0].mesh->meeting.keys[0].key);
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
    step(side, event);
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

static void step(Side *side, MeshEvent event) {
    uint64_t stored = 0;

    event.now_us = now_us;
    event.now_s = 1000000 + now_us / S;
    mesh_step(side->mesh, &event);
    take_effects(side, &stored);
    if (stored) {
        step(side,
             (MeshEvent){.kind = side->disk_full ? MESH_EVENT_STORE_FAILED : MESH_EVENT_STORED,
                         .stored = {.token = stored}});
    }
}

/* Delivers and waits until this time. */
static void run(uint64_t until_us) {
    unsigned steps = 0;

    while (now_us < until_us) {
        uint64_t next_us = until_us;
        Side *due = NULL;

        FUZZ_CHECK(++steps < STEPS);
        for (unsigned i = 0; i < 2; i++) {
            uint64_t deadline_us = mesh_deadline_us(sides[i].mesh);

            if (sides[i].count > 0) {
                Parcel parcel = sides[i].under_way[sides[i].head];

                sides[i].head = (sides[i].head + 1) % UNDER_WAY_SIZE;
                sides[i].count--;
                step(&sides[i], (MeshEvent){.kind = MESH_EVENT_DATAGRAM,
                                            .datagram = {.path = parcel.from,
                                                         .bytes = parcel.bytes,
                                                         .length = parcel.length}});
                due = NULL;
                next_us = now_us;
            } else if (deadline_us < next_us) {
                next_us = deadline_us;
                due = &sides[i];
            }
        }
        now_us = next_us > now_us ? next_us : now_us;
        if (due && sides[0].count + sides[1].count == 0) {
            step(due, (MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        }
    }
}

/* ---- the meeting ---- */

static void start(unsigned number) {
    Side *side = &sides[number];
    MeshOptions options = {.name = number ? "Mallory" : "Alice",
                           .device_seed = {(uint8_t)(number + 1)},
                           .random = draw,
                           .random_context = side,
                           .now_us = now_us,
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
        step(side, (MeshEvent){.kind = MESH_EVENT_LOADED, .item = side->kept[i].item});
    }
    step(side, (MeshEvent){.kind = MESH_EVENT_LOADED_END});
    step(side, (MeshEvent){.kind = MESH_EVENT_ADDRESSES,
                           .addresses = {.paths = &side->address, .count = 1}});
}

static void stop(void) {
    mesh_destroy(sides[0].mesh);
    mesh_destroy(sides[1].mesh);
}

/* True when it ended well. */
static bool ask(Side *side, MeshIntent intent) {
    static uint64_t tag;

    intent.tag = ++tag;
    step(side, (MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &intent});
    return side->done == intent.tag;
}

static bool say(const char *text) {
    return ask(sides, (MeshIntent){.kind = MESH_INTENT_SAY, .text = text});
}

static bool has_message(const char *text) {
    MeshMessage message;

    for (size_t i = 0; mesh_message(target->mesh, i, &message); i++) {
        if (!strcmp(message.text, text)) {
            return true;
        }
    }
    return false;
}

static Neighbour *victim(void) {
    return neighbour_find(hostile->mesh, &target->mesh->self.key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (sodium_init() < 0) {
        return 1;
    }
    making = true;
    now_us = S;
    start(0);
    start(1);
    FUZZ_CHECK(ask(sides, (MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Cellule"}));
    FUZZ_CHECK(ask(sides, (MeshIntent){.kind = MESH_INTENT_INVITE,
                                       .role = FUZZ_RELAY ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER,
                                       .uses = 1,
                                       .expires_at = UINT32_MAX}));
    ask(sides + 1, (MeshIntent){.kind = MESH_INTENT_JOIN,
                                .text = ticket,
                                .role = FUZZ_RELAY ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER});
    run(3 * S);
    FUZZ_CHECK(say("gardé"));
    FUZZ_CHECK(ask(sides, (MeshIntent){.kind = MESH_INTENT_MOTION_OPEN, .text = "Évacuer ?"}));
    run(4 * S);
    FUZZ_CHECK(mesh_info(sides[1].mesh).status == MESH_STATUS_MEMBER);
    making = false;
    stop();
    return 0;
}

static void forget_blocks(Side *side) {
    for (size_t i = 0; i < BLOCKS_SIZE; i++) {
        free(side->blocks[i].value);
        side->blocks[i] = (Kept){0};
    }
    side->block_count = 0;
}

/* ---- what the hostile one does ---- */

/* Words that mean something in this meeting. */
static Bytes word(uint8_t number) {
    const Mesh *mesh = sides[0].mesh;
    const Journal *journal = mesh->journal;
    const Record *record = journal_record(journal, number / 8 % journal_count(journal));

    switch (number % 8) {
    case 0:
        return BYTES_AT(record->hash.bytes, MESH_HASH_SIZE);
    case 1:
        return BYTES_AT(journal_chain(journal, record->chain)->tag, JOURNAL_TAG_SIZE);
    case 2:
        return BYTES_AT(record->bytes, record->length);
    case 3:
        return BYTES_AT(mesh->self.key.bytes, number / 8 % 2 ? SHORT_KEY_SIZE : MESH_KEY_SIZE);
    case 4:
        return BYTES_AT(sides[1].mesh->self.key.bytes,
                        number / 8 % 2 ? SHORT_KEY_SIZE : MESH_KEY_SIZE);
    case 5:
        return BYTES_OF(mesh->meeting.keys[0].id);
    case 6:
        return BYTES_OF(mesh->meeting.keys[0].key);
    default:
        if (number / 8 < mesh->library.count) {
            return BYTES_AT(blob_id(mesh->library.documents[number / 8].blob),
                            ACT_DOCUMENT_ID_SIZE);
        }
        return BYTES_OF(mesh->meeting.id.bytes);
    }
}

/* A length, then that many bytes with words in them. */
static Bytes read_body(BytesReader *reader, uint8_t body[BODY_SIZE]) {
    size_t length = bytes_read_u16(reader) % BODY_SIZE;
    BytesWriter writer = bytes_writer(body, BODY_SIZE);

    for (size_t i = 0; i < length && bytes_left(reader) > 0; i++) {
        uint8_t byte = bytes_read_u8(reader);
        Bytes inserted = BYTES_NONE;

        if (byte == ESCAPE) {
            inserted = word(bytes_read_u8(reader));
        }
        if (inserted.length > 0 && bytes_room(&writer) >= inserted.length) {
            bytes_write(&writer, inserted.data, inserted.length);
        } else if (byte != ESCAPE && bytes_room(&writer) > 0) {
            bytes_write_u8(&writer, byte);
        }
    }
    return BYTES_AT(body, bytes_written(&writer));
}

static void flush(void) {
    step(hostile, (MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    run(now_us + 5 * MS);
}

static void send_message(BytesReader *reader) {
    uint8_t body[BODY_SIZE];
    uint8_t kind = bytes_read_u8(reader);
    uint8_t priority = bytes_read_u8(reader) % LINK_PRIORITIES;
    Bytes bytes = read_body(reader, body);

    if (victim()) {
        neighbour_send(hostile->mesh, victim(), (LinkPriority)priority, UINT64_MAX, kind % 64,
                       bytes);
    }
    flush();
}

/* An entry with any acts, by the hostile one or by somebody it made up. */
static void send_entry(BytesReader *reader) {
    uint8_t bytes[MESH_ENTRY_MAX];
    uint8_t acts[2][BODY_SIZE];
    uint8_t seed[MESH_SEED_SIZE] = {2};
    uint8_t flags = bytes_read_u8(reader);
    Bytes cited = word(flags & 0xf8);
    MeshHash hashes[2];
    EntryDraft draft = {.meeting = &sides[0].mesh->meeting.id,
                        .cited = hashes,
                        .cited_count = flags & 1,
                        .chain = {bytes_read_u8(reader)}};
    Identity author;
    size_t length;

    seed[1] = flags & 4;
    identity_init(&author, seed);
    memcpy(hashes[0].bytes, cited.data, MESH_HASH_SIZE);
    if (flags & 2) {
        draft.sequence = 1;
        draft.previous = &hashes[0];
    }
    draft.public_act = read_body(reader, acts[0]);
    draft.plain = read_body(reader, acts[1]);
    draft.key = &sides[0].mesh->meeting.keys[0];
    if (!entry_write(&draft, &author, bytes, &length) && victim()) {
        neighbour_send(hostile->mesh, victim(), LINK_URGENT, UINT64_MAX, 8,
                       BYTES_AT(bytes, length));
    }
    flush();
}

static void send_datagram(BytesReader *reader) {
    uint8_t body[BODY_SIZE];
    uint8_t from = bytes_read_u8(reader);
    Bytes bytes = read_body(reader, body);
    MeshPath path = hostile->address;

    path.ip[3] = (uint8_t)(2 + from % 2);
    step(target,
         (MeshEvent){.kind = MESH_EVENT_DATAGRAM,
                     .datagram = {.path = path, .bytes = bytes.data, .length = bytes.length}});
}

static void want(BytesReader *reader) {
    uint8_t kind = bytes_read_u8(reader);
    MeshIntent intent = {.kind = kind % 2 ? MESH_INTENT_STREAM_START : MESH_INTENT_STREAM_STOP,
                         .stream_kind = MESH_STREAM_VOICE};

    if (kind % 4 < 2) {
        ask(target, intent);
    } else {
        step(target, (MeshEvent){.kind = kind % 8 < 4 ? MESH_EVENT_WAKE : MESH_EVENT_FRAME,
                                 .frame = {.kind = MESH_STREAM_VOICE,
                                           .number = kind,
                                           .payload = BYTES_AT("a voice", 7)}});
    }
}

/* A true document of one of the two, which their cores then exchange. */
static void add_document(BytesReader *reader) {
    static const uint8_t leaf[BLOB_BLOCK_SIZE];
    uint8_t flags = bytes_read_u8(reader);
    Side *side = &sides[flags % 2];
    size_t count = flags / 2 % 4;
    MeshIntent intent = {
        .kind = MESH_INTENT_DOCUMENT_BEGIN, .text = "d", .size = count * BLOB_BLOCK_SIZE};

    for (unsigned i = 0; i < DRAFTS_SIZE && !side->mesh->drafts.slots[0].writer; i++) {
        ask(side, intent);
    }
    memcpy(intent.hash.bytes, side->mesh->drafts.slots[0].handle, ACT_DOCUMENT_ID_SIZE);
    intent.kind = MESH_INTENT_DOCUMENT_LEAF;
    intent.bytes = BYTES_OF(leaf);
    for (size_t i = 0; i < count; i++) {
        ask(side, intent);
    }
    intent.kind = flags & 128 ? MESH_INTENT_DOCUMENT_CANCEL : MESH_INTENT_DOCUMENT_END;
    ask(side, intent);
    run(now_us + (flags & 64 ? 50 : 1) * MS);
}

static void ice(BytesReader *reader) {
    uint8_t flags = bytes_read_u8(reader);
    MeshEvent event = {.kind = flags & 1   ? MESH_EVENT_ICE_OFFER
                               : flags & 2 ? MESH_EVENT_ICE_UP
                                           : MESH_EVENT_ICE_DOWN,
                       .ice = {.agent = flags / 4 % 4, .offer = BYTES_AT("offer", 5)}};

    step(target, event);
}

static void act(BytesReader *reader) {
    switch (bytes_read_u8(reader) % OPS) {
    case MESSAGE:
        send_message(reader);
        break;
    case ENTRY:
        send_entry(reader);
        break;
    case DATAGRAM:
        send_datagram(reader);
        break;
    case FORWARD:
        run(now_us + (uint64_t)bytes_read_u8(reader) * 100 * MS);
        break;
    case DISK:
        target->disk_full = bytes_read_u8(reader) % 2;
        break;
    case DOCUMENT:
        add_document(reader);
        break;
    case SILENCE:
        silent = true;
        run(now_us + (uint64_t)bytes_read_u8(reader) * 100 * MS);
        silent = false;
        break;
    case ICE:
        ice(reader);
        break;
    default:
        want(reader);
        break;
    }
    FUZZ_CHECK(journal_waiting(target->mesh->journal) <= MESH_PENDING_MAX);
}

/* The founder may expel a relay, be it by an entry made up here. */
static void check_end(void) {
    MeshStatus status = mesh_info(target->mesh).status;

    if (FUZZ_RELAY) {
        FUZZ_CHECK(status == MESH_STATUS_MEMBER || status == MESH_STATUS_EXPELLED);
        FUZZ_CHECK(target->mesh->relay && target->mesh->meeting.key_count == 0 && !keeps_key);
        FUZZ_CHECK(mesh_message_count(target->mesh) == 0);
    } else {
        FUZZ_CHECK(status == MESH_STATUS_MEMBER);
        FUZZ_CHECK(has_message("gardé") && say("encore") && has_message("encore"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BytesReader reader = bytes_reader(data, size);

    now_us = 10 * S;
    sides[0].drawn = 1u << 20;
    sides[1].drawn = 1u << 20;
    start(0);
    start(1);
    run(now_us + S);
    FUZZ_CHECK(victim() && neighbour_is_up(victim()));
    while (bytes_left(&reader) > 0 && now_us < 600 * S) {
        act(&reader);
    }
    target->disk_full = false;
    run(now_us + S);
    check_end();
    stop();
    forget_blocks(sides);
    forget_blocks(sides + 1);
    return 0;
}
