/* SPDX-License-Identifier: MPL-2.0 */
/* A session as a state machine: the input is a list of steps (send, deliver again, damage,
 * garbage); the receiver must accept exactly what a plain set of counters would. */
#include <sodium.h>

#include "mesh/link/session.h"
#include "tests/fuzz/fuzz.h"

#define SENT  64
#define STEPS 4096
#define PLAIN 8

typedef struct {
    uint8_t bytes[PLAIN + SESSION_OVERHEAD_SIZE];
    uint64_t counter;
} Datagram;

typedef struct {
    Session sender, receiver;
    uint64_t counter;
    Datagram sent[SENT];
    size_t sent_count;
    uint64_t opened[STEPS];
    size_t opened_count;
    uint64_t highest;
} World;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return sodium_init() < 0;
}

static bool is_new(const World *world, uint64_t counter) {
    if (world->opened_count > 0 && counter < world->highest &&
        world->highest - counter >= MESH_REPLAY_MAX) {
        return false;
    }
    for (size_t i = 0; i < world->opened_count; i++) {
        if (world->opened[i] == counter) {
            return false;
        }
    }
    return true;
}

static void send_next(World *world, uint64_t step) {
    Datagram *datagram = &world->sent[world->sent_count++ % SENT];

    world->counter += step;
    datagram->counter = world->counter;
    FUZZ_CHECK(session_seal(&world->sender, SESSION_DATA, world->counter,
                            BYTES_AT(&datagram->counter, PLAIN),
                            datagram->bytes) == sizeof datagram->bytes);
}

static MeshError open_bytes(World *world, const uint8_t *bytes, size_t size,
                            uint64_t *ret_counter) {
    uint8_t *copy = fuzz_copy(bytes, size);
    uint8_t plain[MESH_DATAGRAM_MAX];
    SessionKind kind;
    size_t length = 0;
    MeshError error;

    error =
        session_open(&world->receiver, BYTES_AT(copy, size), &kind, ret_counter, plain, &length);
    FUZZ_CHECK(error ||
               (length == PLAIN && kind == SESSION_DATA && !memcmp(plain, ret_counter, PLAIN)));
    free(copy);
    return error;
}

static void deliver(World *world, const Datagram *datagram) {
    bool expected = is_new(world, datagram->counter);
    uint64_t counter = 0;
    MeshError error = open_bytes(world, datagram->bytes, sizeof datagram->bytes, &counter);

    /* One from half a wrap ago is taken for one to come, whose seal it does not have. */
    if (expected) {
        FUZZ_CHECK(error == MESH_OK);
    } else {
        FUZZ_CHECK(error == MESH_ERROR_REPLAYED ||
                   (error == MESH_ERROR_FORGED && world->highest - datagram->counter >= (uint64_t)1
                                                                                            << 31));
    }
    if (!error) {
        FUZZ_CHECK(counter == datagram->counter);
        world->opened[world->opened_count++] = counter;
        world->highest = counter > world->highest ? counter : world->highest;
    }
}

static void damage(World *world, const Datagram *datagram, size_t at, uint8_t mask) {
    Session before = world->receiver;
    Datagram damaged = *datagram;
    uint64_t counter;

    if (mask == 0) {
        return;
    }
    damaged.bytes[at % sizeof damaged.bytes] ^= mask;
    FUZZ_CHECK(open_bytes(world, damaged.bytes, sizeof damaged.bytes, &counter) != MESH_OK);
    FUZZ_CHECK(!memcmp(&before, &world->receiver, sizeof before));
}

static void step(World *world, const uint8_t *data) {
    const Datagram *datagram =
        &world->sent[data[1] % (world->sent_count < SENT ? world->sent_count : SENT)];

    switch (data[0] % 4) {
    case 0: /* small steps, and some as large as 2^30 */
        send_next(world, data[1] < 32 ? (uint64_t)1 << (data[1] % 31) : 1u + data[1] % 4);
        deliver(world, &world->sent[(world->sent_count - 1) % SENT]);
        break;
    case 1: /* lost, so far */
        send_next(world, 1 + data[1]);
        break;
    case 2:
        deliver(world, datagram);
        break;
    default:
        damage(world, datagram, data[0] / 4, data[2]);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    HandshakeKeys keys = {{1}, {2}}, other = {{2}, {1}};
    World *world = calloc(1, sizeof *world);
    uint64_t counter;

    FUZZ_CHECK(world);
    session_init(&world->sender, &keys, 1);
    session_init(&world->receiver, &other, 1);
    if (size > 0) { /* near a wrap, or from 0 */
        world->counter = (uint64_t)data[0] % 4 << 31;
        session_expect(&world->receiver, world->counter);
        send_next(world, 1);
    }
    for (size_t i = 1; i + 2 < size && i / 3 < STEPS - 2; i += 3) {
        step(world, data + i);
    }
    FUZZ_CHECK(open_bytes(world, data, size, &counter) != MESH_OK || size == sizeof(Datagram));
    free(world);
    return 0;
}
