/* SPDX-License-Identifier: MPL-2.0 */
/* A member who is let in and hostile, against the node of the founder: any messages through their
 * link, entries it signs, raw datagrams, a disk that fails, time that passes. Whatever comes, the
 * founder stays a member of its meeting, keeps what it wrote, and can write more.
 *
 * With FUZZ_RELAY the founder is hostile, against a relay: that stays in its meeting, and takes no
 * key. */
#include <sodium.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_pair.h"

enum { MESSAGE, ENTRY, DATAGRAM, FORWARD, DISK, INTENT, DOCUMENT, SILENCE, ICE, OPS };

#define BODY_SIZE 6000
#define ESCAPE    0xfe /* in a body: a word of the meeting follows, by its number */

static bool has_message(const char *text) {
    MeshMessage message;

    for (size_t i = 0; mesh_message(pair_target->mesh, i, &message); i++) {
        if (!strcmp(message.text, text)) {
            return true;
        }
    }
    return false;
}

static Neighbour *victim(void) {
    return neighbour_find(pair_hostile->mesh, &pair_target->mesh->self.key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (sodium_init() < 0) {
        return 1;
    }
    pair_make();
    return 0;
}

/* ---- what the pair_hostile one does ---- */

/* Words that mean something in this meeting. */
static Bytes word(uint8_t number) {
    const Mesh *mesh = pair_sides[0].mesh;
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
        return BYTES_AT(pair_sides[1].mesh->self.key.bytes,
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
    pair_step(pair_hostile, (MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    pair_run(pair_now_us + 5 * MS);
}

static void send_message(BytesReader *reader) {
    uint8_t body[BODY_SIZE];
    uint8_t kind = bytes_read_u8(reader);
    uint8_t priority = bytes_read_u8(reader) % LINK_PRIORITIES;
    Bytes bytes = read_body(reader, body);

    if (victim()) {
        neighbour_send(pair_hostile->mesh, victim(), (LinkPriority)priority, UINT64_MAX, kind % 64,
                       bytes);
    }
    flush();
}

/* An entry with any acts, by the pair_hostile one or by somebody it made up. */
static void send_entry(BytesReader *reader) {
    uint8_t bytes[MESH_ENTRY_MAX];
    uint8_t acts[2][BODY_SIZE];
    uint8_t seed[MESH_SEED_SIZE] = {2};
    uint8_t flags = bytes_read_u8(reader);
    Bytes cited = word(flags & 0xf8);
    MeshHash hashes[2];
    EntryDraft draft = {.meeting = &pair_sides[0].mesh->meeting.id,
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
    draft.key = &pair_sides[0].mesh->meeting.keys[0];
    if (!entry_write(&draft, &author, bytes, &length) && victim()) {
        neighbour_send(pair_hostile->mesh, victim(), LINK_URGENT, UINT64_MAX, 8,
                       BYTES_AT(bytes, length));
    }
    flush();
}

static void send_datagram(BytesReader *reader) {
    uint8_t body[BODY_SIZE];
    uint8_t from = bytes_read_u8(reader);
    Bytes bytes = read_body(reader, body);
    MeshPath path = pair_hostile->address;

    path.ip[3] = (uint8_t)(2 + from % 2);
    pair_step(pair_target,
              (MeshEvent){.kind = MESH_EVENT_DATAGRAM,
                          .datagram = {.path = path, .bytes = bytes.data, .length = bytes.length}});
}

static void want(BytesReader *reader) {
    uint8_t kind = bytes_read_u8(reader);
    MeshIntent intent = {.kind = kind % 2 ? MESH_INTENT_STREAM_START : MESH_INTENT_STREAM_STOP,
                         .stream_kind = MESH_STREAM_VOICE};

    if (kind % 4 < 2) {
        pair_ask(pair_target, intent);
    } else {
        pair_step(pair_target,
                  (MeshEvent){.kind = kind % 8 < 4 ? MESH_EVENT_WAKE : MESH_EVENT_FRAME,
                              .frame = {.kind = MESH_STREAM_VOICE,
                                        .number = kind,
                                        .payload = BYTES_AT("a voice", 7)}});
    }
}

/* A true document of one of the two, which their cores then exchange. */
static void add_document(BytesReader *reader) {
    static const uint8_t leaf[BLOB_BLOCK_SIZE];
    uint8_t flags = bytes_read_u8(reader);
    Side *side = &pair_sides[flags % 2];
    size_t count = flags / 2 % 4;
    MeshIntent intent = {
        .kind = MESH_INTENT_DOCUMENT_BEGIN, .text = "d", .size = count * BLOB_BLOCK_SIZE};

    for (unsigned i = 0; i < DRAFTS_SIZE && !side->mesh->drafts.slots[0].writer; i++) {
        pair_ask(side, intent);
    }
    memcpy(intent.hash.bytes, side->mesh->drafts.slots[0].handle, ACT_DOCUMENT_ID_SIZE);
    intent.kind = MESH_INTENT_DOCUMENT_LEAF;
    intent.bytes = BYTES_OF(leaf);
    for (size_t i = 0; i < count; i++) {
        pair_ask(side, intent);
    }
    intent.kind = flags & 128 ? MESH_INTENT_DOCUMENT_CANCEL : MESH_INTENT_DOCUMENT_END;
    pair_ask(side, intent);
    pair_run(pair_now_us + (flags & 64 ? 50 : 1) * MS);
}

static void ice(BytesReader *reader) {
    uint8_t flags = bytes_read_u8(reader);
    MeshEvent event = {.kind = flags & 1   ? MESH_EVENT_ICE_OFFER
                               : flags & 2 ? MESH_EVENT_ICE_UP
                                           : MESH_EVENT_ICE_DOWN,
                       .ice = {.agent = flags / 4 % 4, .offer = BYTES_AT("offer", 5)}};

    pair_step(pair_target, event);
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
        pair_run(pair_now_us + (uint64_t)bytes_read_u8(reader) * 100 * MS);
        break;
    case DISK:
        pair_target->disk_full = bytes_read_u8(reader) % 2;
        break;
    case DOCUMENT:
        add_document(reader);
        break;
    case SILENCE:
        pair_is_silent = true;
        pair_run(pair_now_us + (uint64_t)bytes_read_u8(reader) * 100 * MS);
        pair_is_silent = false;
        break;
    case ICE:
        ice(reader);
        break;
    default:
        want(reader);
        break;
    }
    FUZZ_CHECK(journal_waiting(pair_target->mesh->journal) <= MESH_PENDING_MAX);
}

/* The founder may expel a relay, be it by an entry made up here. */
static void check_end(void) {
    MeshStatus status = mesh_info(pair_target->mesh).status;

    if (FUZZ_RELAY) {
        FUZZ_CHECK(status == MESH_STATUS_MEMBER || status == MESH_STATUS_EXPELLED);
        FUZZ_CHECK(pair_target->mesh->relay && pair_target->mesh->meeting.key_count == 0 &&
                   !pair_keeps_key);
        FUZZ_CHECK(mesh_message_count(pair_target->mesh) == 0);
    } else {
        FUZZ_CHECK(status == MESH_STATUS_MEMBER);
        FUZZ_CHECK(has_message("gardé") && pair_say("encore") && has_message("encore"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BytesReader reader = bytes_reader(data, size);

    pair_now_us = 10 * S;
    pair_sides[0].drawn = 1u << 20;
    pair_sides[1].drawn = 1u << 20;
    pair_start(0);
    pair_start(1);
    pair_run(pair_now_us + S);
    FUZZ_CHECK(victim() && neighbour_is_up(victim()));
    while (bytes_left(&reader) > 0 && pair_now_us < 600 * S) {
        act(&reader);
    }
    pair_target->disk_full = false;
    pair_run(pair_now_us + S);
    check_end();
    pair_stop();
    pair_forget_blocks(pair_sides);
    pair_forget_blocks(pair_sides + 1);
    return 0;
}
