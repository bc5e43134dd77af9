/* SPDX-License-Identifier: MPL-2.0 */
/* Datagrams of one key pair: the layout, the edges of the replay window, the counter beyond its
 * 32 bits on the wire, and whatever else may come. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/link/session.h"

#define WRAP ((uint64_t)1 << 32)

typedef struct {
    Session sender, receiver;
} World;

static void world_init(World *world) {
    HandshakeKeys keys = {{1, 2, 3}, {4, 5, 6}};
    HandshakeKeys other = {{4, 5, 6}, {1, 2, 3}};

    session_init(&world->sender, &keys, 2);
    session_init(&world->receiver, &other, 2);
}

static size_t seal(World *world, uint64_t counter, uint8_t *ret_bytes) {
    return session_seal(&world->sender, SESSION_DATA, counter, BYTES_AT("plain", 5), ret_bytes);
}

static MeshError receive(World *world, Bytes datagram, uint64_t *ret_counter) {
    uint8_t plain[MESH_DATAGRAM_MAX];
    SessionKind kind;
    size_t length;
    MeshError error = session_open(&world->receiver, datagram, &kind, ret_counter, plain, &length);

    if (!error) {
        g_assert_cmpint(kind, ==, SESSION_DATA);
        g_assert_cmpmem(plain, (int)length, "plain", 5);
    }
    return error;
}

/* Seals under this counter and opens at once. */
static MeshError pass(World *world, uint64_t counter) {
    uint8_t bytes[64];
    uint64_t seen = 0;
    MeshError error = receive(world, BYTES_AT(bytes, seal(world, counter, bytes)), &seen);

    if (!error) {
        g_assert_cmpuint(seen, ==, counter);
    }
    return error;
}

static void test_layout(void) {
    static const SessionKind KINDS[] = {SESSION_DATA, SESSION_PROBE, SESSION_ECHO, SESSION_BYE};
    HandshakeKeys keys = {{1}, {2}};
    const uint64_t counter = 0x0102030405060708;
    uint8_t nonce[12] = {0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};

    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        for (uint8_t phase = 0; phase < 4; phase++) {
            Session session;
            uint8_t bytes[64], expected[64] = {(uint8_t)(0x80 | KINDS[i] << 2 | phase), 8, 7, 6, 5};
            unsigned long long sealed;
            SessionKind kind;
            uint8_t seen;
            size_t length;

            session_init(&session, &keys, phase);
            length = session_seal(&session, KINDS[i], counter, BYTES_AT("hello", 5), bytes);
            crypto_aead_chacha20poly1305_ietf_encrypt(expected + 5, &sealed,
                                                      (const uint8_t *)"hello", 5, expected, 5,
                                                      NULL, nonce, keys.send);
            g_assert_cmpuint(length, ==, 5 + SESSION_OVERHEAD_SIZE);
            g_assert_cmpmem(bytes, (int)length, expected, (int)sealed + 5);
            g_assert_true(session_peek(BYTES_AT(bytes, length), &kind, &seen));
            g_assert_cmpint(kind, ==, KINDS[i]);
            g_assert_cmpint(seen, ==, phase);
            session_finish(&session);
            g_assert_true(sodium_is_zero((uint8_t *)&session, sizeof session));
        }
    }
}

static void test_peek(void) {
    uint8_t bytes[SESSION_OVERHEAD_SIZE] = {0};
    SessionKind kind;
    uint8_t phase;

    for (unsigned first = 0; first < 256; first++) {
        bytes[0] = (uint8_t)first;
        g_assert_true(session_peek(BYTES_OF(bytes), &kind, &phase) ==
                      (first >= 0x80 && first < 0x90));
    }
    bytes[0] = 0x80;
    g_assert_false(session_peek(BYTES_AT(bytes, sizeof bytes - 1), &kind, &phase));
    g_assert_false(session_peek(BYTES_NONE, &kind, &phase));
}

/* 2048 counters from the highest down, each once, in any order. */
static void test_window(void) {
    World world;

    world_init(&world);
    g_assert_cmpint(pass(&world, 5000), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 5000), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 5000 - 2047), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 5000 - 2047), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 5000 - 2048), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 0), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 5001), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 5001 - 2047), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 5000), ==, MESH_ERROR_REPLAYED);
    /* One short of emptying the window, exactly emptying it, and far beyond. */
    g_assert_cmpint(pass(&world, 5001 + 2047), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 5001), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 5002), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 7048 + 2048), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 7048), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 7049), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 1000000), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 1000000 - 2047), ==, MESH_OK);
}

static void test_first_is_zero(void) {
    World world;

    world_init(&world);
    g_assert_cmpint(pass(&world, 0), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 0), ==, MESH_ERROR_REPLAYED);
    g_assert_cmpint(pass(&world, 1), ==, MESH_OK);
}

/* Against the plain meaning of a window: a set of what was seen. */
static void test_reordered(void) {
    World world;
    g_autofree uint8_t *seen = g_malloc0(40000);
    uint8_t seed[32] = {3};
    uint32_t random[20000];
    uint64_t highest = 0, sent = 0;

    world_init(&world);
    randombytes_buf_deterministic(random, sizeof random, seed);
    for (gsize i = 0; i < G_N_ELEMENTS(random); i++) {
        uint64_t back = random[i] % 8 == 0 ? random[i] / 8 % 2200 : random[i] / 8 % 40;
        uint64_t counter = sent > back ? sent - back : 0;
        bool fresh = !seen[counter] && (counter >= highest || highest - counter < MESH_REPLAY_MAX);

        g_assert_cmpint(pass(&world, counter), ==, fresh ? MESH_OK : MESH_ERROR_REPLAYED);
        seen[counter] = seen[counter] || fresh;
        highest = MAX(highest, counter);
        sent += random[i] % 1000 == 0 ? 2000 : random[i] % 2;
        if (sent >= 40000) {
            break;
        }
    }
    g_assert_cmpuint(highest, >, 20000);
}

/* Around 2^32 and 2^33, back and forth: no more than half of 2^32 is jumped at once. */
static void test_wrap(void) {
    static const struct {
        uint64_t counter;
        MeshError expected;
    } STEPS[] = {
        {WRAP / 2, MESH_OK},
        {WRAP - 3, MESH_OK},
        {WRAP + 2, MESH_OK},
        {WRAP - 2, MESH_OK},
        {WRAP, MESH_OK},
        {WRAP - 1, MESH_OK},
        {WRAP + 2046, MESH_OK},
        {WRAP - 1, MESH_ERROR_REPLAYED},
        {WRAP - 4, MESH_ERROR_REPLAYED},
        {WRAP + 1, MESH_OK},
        {WRAP + WRAP / 2, MESH_OK},
        {2 * WRAP - 500, MESH_OK},
        {2 * WRAP + 1, MESH_OK},
        {2 * WRAP - 1, MESH_OK},
        {2 * WRAP, MESH_OK},
        {2 * WRAP - 500, MESH_ERROR_REPLAYED},
        {2 * WRAP + 1 - 2048, MESH_ERROR_REPLAYED},
    };
    World world;

    world_init(&world);
    for (gsize i = 0; i < G_N_ELEMENTS(STEPS); i++) {
        g_assert_cmpint(pass(&world, STEPS[i].counter), ==, STEPS[i].expected);
    }
}

/* The neighbour counts on through rekeying. */
static void test_expect(void) {
    World world;

    world_init(&world);
    g_assert_cmpint(pass(&world, 7 * WRAP + 5), ==, MESH_ERROR_FORGED);
    session_expect(&world.receiver, 7 * WRAP - 20);
    g_assert_cmpint(pass(&world, 7 * WRAP + 5), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 7 * WRAP - 30), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 7 * WRAP + 5), ==, MESH_ERROR_REPLAYED);

    world_init(&world);
    session_expect(&world.receiver, UINT64_MAX - 5);
    g_assert_cmpint(pass(&world, UINT64_MAX), ==, MESH_OK);
    g_assert_cmpint(pass(&world, UINT64_MAX - 2047), ==, MESH_OK);
    g_assert_cmpint(pass(&world, 3), ==, MESH_ERROR_REPLAYED); /* taken for one long ago */
}

/* What is not authentic moves nothing. */
static void test_mutated(void) {
    World world;
    uint8_t bytes[64];
    uint64_t counter;
    size_t length;

    world_init(&world);
    g_assert_cmpint(pass(&world, 10), ==, MESH_OK);
    length = seal(&world, 11, bytes);
    for (gsize bit = 0; bit < length * 8; bit++) {
        Session before = world.receiver;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        g_assert_cmpint(receive(&world, BYTES_AT(bytes, length), &counter), !=, MESH_OK);
        g_assert_cmpmem(&world.receiver, sizeof before, &before, sizeof before);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (gsize shorter = 0; shorter < length; shorter++) {
        g_autofree uint8_t *copy = g_memdup2(bytes, MAX(shorter, 1));

        g_assert_cmpint(receive(&world, BYTES_AT(copy, shorter), &counter), ==,
                        shorter < SESSION_OVERHEAD_SIZE ? MESH_ERROR_MALFORMED : MESH_ERROR_FORGED);
    }
    g_assert_cmpint(receive(&world, BYTES_AT(bytes, length), &counter), ==, MESH_OK);
}

static void test_garbage(void) {
    World world;
    uint8_t bytes[MESH_DATAGRAM_MAX], seed[32] = {9};
    uint64_t counter;

    world_init(&world);
    for (gsize length = 0; length <= sizeof bytes; length++) {
        g_autofree uint8_t *copy = NULL;

        seed[1] = (uint8_t)length;
        seed[2] = (uint8_t)(length >> 8);
        randombytes_buf_deterministic(bytes, sizeof bytes, seed);
        copy = g_memdup2(bytes, MAX(length, 1));
        g_assert_cmpint(receive(&world, BYTES_AT(copy, length), &counter), !=, MESH_OK);
        copy[0] = 0x82;
        g_assert_cmpint(receive(&world, BYTES_AT(copy, length), &counter), ==,
                        length < SESSION_OVERHEAD_SIZE ? MESH_ERROR_MALFORMED : MESH_ERROR_FORGED);
    }
    g_assert_false(world.receiver.any);
}

/* Empty and the largest; one's own datagrams are not taken for the other's. */
static void test_sizes(void) {
    World world;
    uint8_t plain[MESH_DATAGRAM_MAX - SESSION_OVERHEAD_SIZE], read[sizeof plain];
    uint8_t bytes[MESH_DATAGRAM_MAX];
    SessionKind kind;
    uint64_t counter;
    size_t length;

    world_init(&world);
    memset(plain, 0x5a, sizeof plain);
    length = session_seal(&world.sender, SESSION_PROBE, 1, BYTES_NONE, bytes);
    g_assert_cmpuint(length, ==, SESSION_OVERHEAD_SIZE);
    g_assert_cmpint(
        session_open(&world.sender, BYTES_AT(bytes, length), &kind, &counter, read, &length), ==,
        MESH_ERROR_FORGED);
    g_assert_cmpint(session_open(&world.receiver, BYTES_AT(bytes, SESSION_OVERHEAD_SIZE), &kind,
                                 &counter, read, &length),
                    ==, MESH_OK);
    g_assert_cmpuint(length, ==, 0);
    g_assert_cmpint(kind, ==, SESSION_PROBE);
    length = session_seal(&world.sender, SESSION_ECHO, 2, BYTES_OF(plain), bytes);
    g_assert_cmpuint(length, ==, MESH_DATAGRAM_MAX);
    g_assert_cmpint(
        session_open(&world.receiver, BYTES_AT(bytes, length), &kind, &counter, read, &length), ==,
        MESH_OK);
    g_assert_cmpmem(read, (int)length, plain, sizeof plain);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/session/layout", test_layout);
    g_test_add_func("/mesh/session/peek", test_peek);
    g_test_add_func("/mesh/session/window", test_window);
    g_test_add_func("/mesh/session/first-is-zero", test_first_is_zero);
    g_test_add_func("/mesh/session/reordered", test_reordered);
    g_test_add_func("/mesh/session/wrap", test_wrap);
    g_test_add_func("/mesh/session/expect", test_expect);
    g_test_add_func("/mesh/session/mutated", test_mutated);
    g_test_add_func("/mesh/session/garbage", test_garbage);
    g_test_add_func("/mesh/session/sizes", test_sizes);
    return g_test_run();
}
