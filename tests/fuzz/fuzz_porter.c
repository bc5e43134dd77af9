/* SPDX-License-Identifier: MPL-2.0 */
/* PASS, raw and of any guests for any member, to a relay with two members beside it; and to one who
 * joins. Whatever strangers send, a relay answers nothing itself, makes no link, and gives each
 * guest, each address and all of them no more than their part; a joiner without its ticket's secret
 * in what comes takes nobody for its porter. */
#include <sodium.h>

#include "mesh/core.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_roster.h"

enum { PASS, RAW, ANSWER, TIME, LOST, OPS };

#define MEMBERS   2 /* beside the relay, and able to admit */
#define PEOPLE    5 /* the founder, those two, another relay, and a stranger */
#define KEYS      24
#define BODY_SIZE 1500

static Identity people[PEOPLE];
static Mesh *mesh;
static uint64_t now_us;
static uint32_t drawn;
static char *ticket;
static uint64_t window_us; /* of the knocks let through, */
static uint32_t knocks;    /* which are so many */

static void draw(void *context, uint8_t *ret_bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        uint32_t word = ++drawn * 2654435761u;

        ret_bytes[i] = (uint8_t)((word ^ word >> 15) * 2246822519u >> 13);
    }
}

static void step(MeshEvent event) {
    MeshEffect effect;
    uint64_t stored = 0;

    event.now_us = now_us;
    event.now_s = 1000000 + now_us / S;
    mesh_step(mesh, &event);
    while (mesh_next_effect(mesh, &effect)) {
        stored = effect.kind == MESH_EFFECT_PERSIST ? effect.store.token : stored;
        if (effect.kind == MESH_EFFECT_DONE && effect.done.text && !ticket) {
            ticket = (char *)fuzz_copy((const uint8_t *)effect.done.text, strlen(effect.done.text));
        }
    }
    if (stored) {
        step((MeshEvent){.kind = MESH_EVENT_STORED, .stored = {.token = stored}});
    }
}

static void ask(MeshIntent intent) {
    intent.tag = 1;
    step((MeshEvent){.kind = MESH_EVENT_INTENT, .intent = &intent});
}

static MeshPath host(uint8_t number) {
    return (MeshPath){.kind = MESH_PATH_KNOCK,
                      .family = 4,
                      .port = (uint16_t)(1000 + number / 8),
                      .ip = {198, 51, 100, (uint8_t)(1 + number % 8)}};
}

static void start(uint8_t seed) {
    MeshPath address = host(0);
    MeshOptions options = {.name = "Nœud", .device_seed = {seed}, .random = draw, .now_us = now_us};

    mesh = mesh_create(&options);
    FUZZ_CHECK(mesh);
    step((MeshEvent){.kind = MESH_EVENT_LOADED_END});
    step((MeshEvent){.kind = MESH_EVENT_ADDRESSES, .addresses = {.paths = &address, .count = 1}});
}

static void found(void) {
    start(1);
    ask((MeshIntent){.kind = MESH_INTENT_CREATE, .text = "Cellule"});
    FUZZ_CHECK(mesh_info(mesh).status == MESH_STATUS_MEMBER);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (sodium_init() < 0) {
        return 1;
    }
    for (uint8_t i = 0; i < PEOPLE; i++) {
        uint8_t seed[MESH_SEED_SIZE] = {(uint8_t)(i + 1)};

        identity_init(&people[i], seed);
    }
    now_us = S;
    found();
    ask((MeshIntent){
        .kind = MESH_INTENT_INVITE, .role = MESH_ROLE_MEMBER, .uses = 1, .expires_at = UINT32_MAX});
    FUZZ_CHECK(ticket);
    mesh_destroy(mesh);
    return 0;
}

/* ---- a relay ---- */

/* The founder's core, which carries from now on as a relay would. */
static void begin_relay(void) {
    found();
    mesh->relay = true;
    for (size_t i = 1; i <= MEMBERS + 1; i++) {
        fuzz_add_member(mesh, &people[i].key, i > MEMBERS ? MESH_ROLE_RELAY : MESH_ROLE_MEMBER);
        fuzz_befriend(mesh, &people[i].key);
    }
    map_roster_changed(mesh);
    window_us = knocks = 0;
}

/* Of a member, of somebody in no roster, or of one of a few guests. */
static void write_key(BytesWriter *writer, uint8_t which) {
    uint8_t key[SHORT_KEY_SIZE] = {which % KEYS};

    if (which % 8 == 7) {
        memcpy(key, people[which / 8 % PEOPLE].key.bytes, sizeof key);
    }
    bytes_write(writer, key, sizeof key);
}

static size_t count_effects(const MeshPath *to) {
    MeshEffect effect;
    size_t count = 0;

    while (mesh_next_effect(mesh, &effect)) {
        FUZZ_CHECK(to && effect.kind == MESH_EFFECT_SEND &&
                   mesh_path_equal(&effect.send.path, to) &&
                   effect.send.length <= MESH_DATAGRAM_MAX && effect.send.bytes[0] == PORTER_PASS);
        count++;
    }
    return count;
}

static bool is_here(const PorterGuest *guest) {
    return guest->heard_us > 0 && now_us < guest->heard_us + 60 * S;
}

static PorterGuest *find_guest(const uint8_t key[SHORT_KEY_SIZE]) {
    for (size_t i = 0; i < MESH_GUESTS_MAX; i++) {
        PorterGuest *guest = &mesh->porter.guests[i];

        if (is_here(guest) && !memcmp(guest->key, key, SHORT_KEY_SIZE)) {
            return guest;
        }
    }
    return NULL;
}

/* What a stranger sends; what it comes to is counted. */
static void give(MeshPath path, Bytes bytes) {
    uint8_t *copy = fuzz_copy(bytes.data, bytes.length);
    uint64_t before = mesh->counters.forwarded;
    MeshError error = porter_received(mesh, &path, BYTES_AT(copy, bytes.length));
    uint64_t passed = mesh->counters.forwarded - before;
    bool to_any = bytes.length > SHORT_KEY_SIZE && sodium_is_zero(copy + 1, SHORT_KEY_SIZE);
    const PorterGuest *guest = error ? NULL : find_guest(copy + 1 + SHORT_KEY_SIZE);

    FUZZ_CHECK(count_effects(NULL) == 0);
    FUZZ_CHECK(passed <= (error ? 0 : to_any ? MEMBERS : 1));
    FUZZ_CHECK(error || (guest && mesh_path_equal(&guest->path, &path)));
    if (window_us != mesh->porter.window_us) {
        window_us = mesh->porter.window_us;
        knocks = 0;
    }
    knocks += guest && !guest->answered;
    FUZZ_CHECK(knocks <= MESH_GUEST_KNOCKS_MAX);
    free(copy);
}

static Bytes write_inner(BytesReader *reader, BytesWriter *writer) {
    static const uint8_t kinds[] = {HANDSHAKE_INIT, HANDSHAKE_ANSWER, HAIL_HAIL,
                                    HAIL_HERE,      PORTER_PASS,      0x80};
    static const uint8_t zeros[BODY_SIZE];
    uint8_t kind = bytes_read_u8(reader);
    size_t length = kind & 0x80 ? HAIL_SIZE : bytes_read_u16(reader) % MESH_DATAGRAM_MAX;

    length = length < bytes_room(writer) ? length : bytes_room(writer);
    if (length > 0) {
        bytes_write_u8(writer, kinds[kind % sizeof kinds]);
        bytes_write(writer, zeros, length - 1);
    }
    return BYTES_AT(writer->start, bytes_written(writer));
}

static void pass(BytesReader *reader) {
    uint8_t bytes[BODY_SIZE];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);
    uint8_t from_host = bytes_read_u8(reader), to = bytes_read_u8(reader);

    bytes_write_u8(&writer, PORTER_PASS);
    write_key(&writer, to);
    write_key(&writer, bytes_read_u8(reader));
    give(host(from_host), write_inner(reader, &writer));
}

static Bytes read_raw(BytesReader *reader, uint8_t bytes[BODY_SIZE]) {
    size_t length = bytes_read_u16(reader) % (BODY_SIZE - 1);

    length = length < bytes_left(reader) ? length : bytes_left(reader);
    bytes[0] = PORTER_PASS;
    bytes_read_into(reader, bytes + 1, length);
    return BYTES_AT(bytes, 1 + length);
}

/* A member answers a guest, or somebody who is none. */
static void answer(BytesReader *reader) {
    uint8_t key[SHORT_KEY_SIZE], bytes[BODY_SIZE];
    BytesWriter writer = bytes_writer(key, sizeof key);
    size_t length;
    const PorterGuest *guest;
    MeshPath path;
    MeshError error;

    write_key(&writer, bytes_read_u8(reader));
    writer = bytes_writer(bytes, sizeof bytes);
    length = write_inner(reader, &writer).length;
    guest = find_guest(key);
    path = guest ? guest->path : (MeshPath){0};
    error = porter_answer(mesh, key, people[1].key.bytes, BYTES_AT(bytes, length));
    FUZZ_CHECK(count_effects(&path) <= (guest && !error));
}

static void check_guests(void) {
    for (size_t i = 0; i < MESH_GUESTS_MAX; i++) {
        const PorterGuest *guest = &mesh->porter.guests[i];
        size_t beside = 0;

        if (!is_here(guest)) {
            continue;
        }
        for (size_t j = 0; j < MESH_GUESTS_MAX; j++) {
            const PorterGuest *other = &mesh->porter.guests[j];

            if (is_here(other)) {
                FUZZ_CHECK(i == j || memcmp(other->key, guest->key, SHORT_KEY_SIZE) != 0);
                beside += !memcmp(other->path.ip, guest->path.ip, sizeof guest->path.ip);
            }
        }
        FUZZ_CHECK(beside <= MESH_GUESTS_HOST_MAX);
        FUZZ_CHECK(guest->bytes <= MESH_GUEST_BYTES_MAX);
    }
    FUZZ_CHECK(mesh->neighbours.end == MEMBERS + 1 && !mesh->neighbours.carried);
    FUZZ_CHECK(mesh->porter.way.kind == MESH_PATH_NONE);
}

static void act_on_relay(BytesReader *reader) {
    uint8_t bytes[BODY_SIZE];
    uint8_t op = bytes_read_u8(reader);
    Neighbour *member;

    switch (op % OPS) {
    case PASS:
        pass(reader);
        break;
    case RAW:
        give(host(op / OPS), read_raw(reader, bytes));
        break;
    case ANSWER:
        answer(reader);
        break;
    case TIME:
        now_us += bytes_read_u16(reader) * 10 * MS;
        mesh->now_us = now_us;
        break;
    default:
        member = neighbour_at(mesh, op / OPS % (MEMBERS + 1));
        FUZZ_CHECK(member);
        member->linked = op & 0x80 ? LINKED_UP : LINKED_DOUBTED;
        break;
    }
    check_guests();
}

/* ---- one who joins ---- */

static void act_on_joiner(BytesReader *reader) {
    uint8_t bytes[BODY_SIZE];
    uint8_t op = bytes_read_u8(reader);
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);
    Bytes datagram;
    uint8_t *copy;

    if (op % 4 == 0) {
        now_us += bytes_read_u16(reader) * 10 * MS;
        step((MeshEvent){.kind = MESH_EVENT_TIMEOUT});
        return;
    }
    if (op % 4 == 1) {
        datagram = read_raw(reader, bytes);
    } else {
        bytes_write_u8(&writer, PORTER_PASS);
        bytes_write(&writer, op % 4 == 2 ? mesh->self.key.bytes : people[0].key.bytes,
                    SHORT_KEY_SIZE);
        write_key(&writer, bytes_read_u8(reader));
        datagram = write_inner(reader, &writer);
    }
    copy = fuzz_copy(datagram.data, datagram.length);
    step((MeshEvent){.kind = MESH_EVENT_DATAGRAM,
                     .datagram = {.path = host(op / 4), .bytes = copy, .length = datagram.length}});
    free(copy);
    FUZZ_CHECK(mesh->porter.way.kind == MESH_PATH_NONE && !mesh->neighbours.carried);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BytesReader reader = bytes_reader(data, size);
    bool joins = bytes_read_u8(&reader) % 4 == 1;

    now_us = 10 * S;
    drawn = 1u << 20;
    if (joins) {
        start(9);
        ask((MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
        FUZZ_CHECK(mesh_info(mesh).status == MESH_STATUS_JOINING);
    } else {
        begin_relay();
    }
    while (bytes_left(&reader) > 0 && now_us < 3600 * S) {
        if (joins) {
            act_on_joiner(&reader);
        } else {
            act_on_relay(&reader);
        }
    }
    mesh_destroy(mesh);
    return 0;
}
