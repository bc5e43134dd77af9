/* SPDX-License-Identifier: MPL-2.0 */
/* Two links as a state machine: the input is a list of steps (submit, cancel, let time pass, send,
 * lose, deliver in any order and again). What is reliable must arrive, and everything once at most.
 * An odd first byte lets one peer lie too: then only memory and time are bounded. */
#include "mesh/link/link.h"
#include "tests/fuzz/fuzz.h"

#define OVERHEAD     49
#define CAPACITY     (MESH_DATAGRAM_MAX - 21)
#define PACKETS      32
#define MESSAGES     512
#define ROUNDS       20000 /* of the quiet end: far more than it takes */
#define LYING_ROUNDS 300

typedef struct {
    uint8_t bytes[CAPACITY];
    size_t length;
    uint64_t counter;
    unsigned to;
} Packet;

typedef enum {
    SENT_RELIABLE = 1,
    SENT_PERISHABLE,
    SENT_CANCELLED,
    SENT_ARRIVED,
} Fate;

typedef struct {
    Link *link[2];
    uint64_t counter[2];
    uint64_t now_us;
    bool lying;
    Packet packets[PACKETS];
    size_t packet_count;
    uint8_t fate[2][MESSAGES];
    uint64_t id[2][MESSAGES];
    unsigned submitted[2];
} World;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return 0;
}

/* A message names itself in its first bytes; what follows depends on them. */
static void submit(World *world, unsigned from, uint8_t how, uint8_t size) {
    static uint8_t bytes[MESH_MESSAGE_MAX];
    unsigned number = world->submitted[from];
    size_t length = how & 0x80 ? 4u + size * 254u : 4u + size;
    uint64_t life_us = how & 0x40 ? 1000u + size * 4000u : 0;

    if (number == MESSAGES) {
        return;
    }
    bytes[0] = (uint8_t)number;
    bytes[1] = (uint8_t)(number >> 8);
    bytes[2] = (uint8_t)length;
    bytes[3] = (uint8_t)(length >> 8);
    memset(bytes + 4, (int)(number & 0xff), length - 4);
    if (!link_submit(world->link[from], how % LINK_PRIORITIES, world->now_us,
                     life_us ? world->now_us + life_us : UINT64_MAX, (Bytes){bytes, length},
                     &world->id[from][number])) {
        world->fate[from][number] = life_us ? SENT_PERISHABLE : SENT_RELIABLE;
        world->submitted[from]++;
    }
}

static void take(World *world, unsigned at) {
    Bytes message;

    while (link_take(world->link[at], &message)) {
        unsigned number;
        uint8_t *fate;

        FUZZ_CHECK(message.length >= 1 && message.length <= MESH_MESSAGE_MAX);
        if (world->lying) {
            continue;
        }
        FUZZ_CHECK(message.length >= 4);
        number = message.data[0] | (unsigned)message.data[1] << 8;
        FUZZ_CHECK(number < world->submitted[!at]);
        FUZZ_CHECK(message.length == (message.data[2] | (size_t)message.data[3] << 8));
        for (size_t i = 4; i < message.length; i++) {
            FUZZ_CHECK(message.data[i] == (number & 0xff));
        }
        fate = &world->fate[!at][number];
        FUZZ_CHECK(*fate && *fate != SENT_ARRIVED);
        *fate = SENT_ARRIVED;
    }
}

static bool next(World *world, unsigned from, Packet *ret_packet) {
    LinkPriority priority = LINK_PRIORITIES;

    ret_packet->counter = world->counter[from];
    ret_packet->to = !from;
    ret_packet->length = link_next(world->link[from], world->now_us, ret_packet->counter,
                                   ret_packet->bytes, CAPACITY, &priority);
    if (ret_packet->length == 0) {
        return false;
    }
    FUZZ_CHECK(ret_packet->length <= CAPACITY && priority < LINK_PRIORITIES);
    world->counter[from]++;
    return true;
}

static void deliver(World *world, const Packet *packet) {
    uint8_t *copy = fuzz_copy(packet->bytes, packet->length);
    MeshError error = link_receive(world->link[packet->to], world->now_us, packet->counter,
                                   (Bytes){copy, packet->length});

    FUZZ_CHECK(world->lying || error != MESH_ERROR_MALFORMED);
    free(copy);
    take(world, packet->to);
}

static void lie(World *world, unsigned to, const uint8_t *data, size_t length) {
    Packet packet = {.length = length, .counter = world->counter[!to]++, .to = to};

    if (world->lying) {
        memcpy(packet.bytes, data, length);
        deliver(world, &packet);
    }
}

/* Nothing is lost any more: both come to rest, and what is reliable has arrived. */
static void finish(World *world) {
    Packet packet;

    for (unsigned round = 0; round < (world->lying ? LYING_ROUNDS : ROUNDS); round++) {
        uint64_t deadline_us = UINT64_MAX;

        for (unsigned from = 0; from < 2; from++) {
            while (next(world, from, &packet)) {
                world->now_us += 200;
                deliver(world, &packet);
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            uint64_t at_us;

            if (next(world, i, &packet)) {
                deliver(world, &packet);
            }
            at_us = link_deadline_us(world->link[i], world->now_us);
            FUZZ_CHECK(at_us > world->now_us || next(world, i, &packet));
            deadline_us = at_us < deadline_us ? at_us : deadline_us;
        }
        if (deadline_us == UINT64_MAX) {
            break;
        }
        world->now_us = deadline_us > world->now_us ? deadline_us : world->now_us + 1;
    }
    for (unsigned from = 0; from < 2 && !world->lying; from++) {
        FUZZ_CHECK(link_deadline_us(world->link[from], world->now_us) == UINT64_MAX);
        FUZZ_CHECK(!link_expects(world->link[from]));
        FUZZ_CHECK(link_state(world->link[from], world->now_us).waiting == 0);
        for (unsigned i = 0; i < world->submitted[from]; i++) {
            FUZZ_CHECK(world->fate[from][i] != SENT_RELIABLE);
        }
    }
}

static size_t step(World *world, const uint8_t *data, size_t left) {
    unsigned side = data[0] >> 3 & 1;
    Packet *packet = &world->packets[data[1] % PACKETS];
    size_t length = data[1] % 64u;

    switch (data[0] % 8) {
    case 0:
    case 1:
        submit(world, side, data[1], data[2]);
        break;
    case 2:
        world->now_us += 1u + data[1] * (data[2] + 1u) * 20u;
        break;
    case 3: /* kept, to be delivered later, again, or never */
        next(world, side, &world->packets[world->packet_count++ % PACKETS]);
        break;
    case 4:
        if (packet->length > 0) {
            deliver(world, packet);
        }
        break;
    case 5:
        for (unsigned i = 0; i <= data[1] % 16u; i++) {
            Packet direct;

            if (next(world, side, &direct) && !(data[2] >> i % 8 & 1)) {
                deliver(world, &direct);
            }
        }
        break;
    case 6:
        if (data[1] & 1) {
            link_path_changed(world->link[side], world->now_us);
        } else if (data[1] & 2) {
            link_answered(world->link[side], world->now_us, data[2] * 10000u);
        } else if (data[2] < world->submitted[side]) {
            link_cancel(world->link[side], world->id[side][data[2]]);
            if (world->fate[side][data[2]] == SENT_RELIABLE) {
                world->fate[side][data[2]] = SENT_CANCELLED;
            }
        }
        break;
    default:
        length = length < left - 3 ? length : left - 3;
        lie(world, side, data + 3, length);
        return 3 + length;
    }
    return 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    World *world = calloc(1, sizeof *world);

    FUZZ_CHECK(world);
    world->now_us = 1000000;
    world->lying = size > 0 && data[0] & 1;
    for (unsigned i = 0; i < 2; i++) {
        world->link[i] = link_create(OVERHEAD);
        FUZZ_CHECK(world->link[i]);
        world->counter[i] = size > 0 ? (uint64_t)data[0] >> 1 << 12 : 0;
    }
    for (size_t at = 1; at + 3 <= size;) {
        at += step(world, data + at, size - at);
    }
    finish(world);
    link_destroy(world->link[0]);
    link_destroy(world->link[1]);
    free(world);
    return 0;
}
