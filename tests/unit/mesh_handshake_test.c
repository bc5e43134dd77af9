/* SPDX-License-Identifier: MPL-2.0 */
/* Two nodes shake hands; then each way in which a message, a key or a secret may be wrong. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/link/handshake.h"

static const uint8_t PSK[32] = "the members' own pre-shared key";
static const uint8_t OTHER_PSK[32] = "a pre-shared key of another one";
static const char OFFER[] = "an offer of candidates";
static const char ANSWER[] = "and the answer to it";

typedef struct {
    Identity alice, bob, carol;
    uint8_t seeds[2][32];
    Handshake handshake;
    uint8_t init[MESH_DATAGRAM_MAX], answer[MESH_DATAGRAM_MAX];
    size_t init_length, answer_length;
    HandshakeKeys bob_keys;
} World;

/* Alice has begun, Bob has answered. */
static void world_init(World *world) {
    HandshakeInit init;

    memset(world, 0, sizeof *world);
    identity_init(&world->alice, (const uint8_t *)"alice, who begins the handshakes");
    identity_init(&world->bob, (const uint8_t *)"bob, who answers to those for him");
    identity_init(&world->carol, (const uint8_t *)"carol, who is somebody else here");
    memset(world->seeds[0], 7, 32);
    memset(world->seeds[1], 8, 32);
    g_assert_cmpint(handshake_begin(&world->handshake, &world->alice, world->bob.static_public, PSK,
                                    world->seeds[0], BYTES_OF(OFFER), world->init,
                                    &world->init_length),
                    ==, MESH_OK);
    g_assert_cmpuint(world->init_length, ==, HANDSHAKE_INIT_OVERHEAD_SIZE + sizeof OFFER);
    g_assert_cmpint(world->init[0], ==, HANDSHAKE_INIT);
    g_assert_cmpint(handshake_read(BYTES_AT(world->init, world->init_length), &world->bob, &init),
                    ==, MESH_OK);
    g_assert_cmpmem(init.payload, (int)init.payload_length, OFFER, sizeof OFFER);
    g_assert_cmpmem(init.initiator_static, 32, world->alice.static_public, 32);
    g_assert_cmpmem(init.index, HANDSHAKE_INDEX_SIZE, world->init + 1, HANDSHAKE_INDEX_SIZE);
    g_assert_cmpint(handshake_answer(&init, PSK, world->seeds[1], BYTES_OF(ANSWER), world->answer,
                                     &world->answer_length, &world->bob_keys),
                    ==, MESH_OK);
    g_assert_cmpuint(world->answer_length, ==, HANDSHAKE_ANSWER_OVERHEAD_SIZE + sizeof ANSWER);
    g_assert_cmpint(world->answer[0], ==, HANDSHAKE_ANSWER);
}

static MeshError finish(const World *world, const Handshake *handshake, Bytes message,
                        HandshakeKeys *ret_keys) {
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE];
    size_t length = 0;
    MeshError error =
        handshake_finish(handshake, &world->alice, message, payload, &length, ret_keys);

    if (error) {
        g_assert_cmpuint(length, ==, 0);
    } else {
        g_assert_cmpmem(payload, (int)length, ANSWER, sizeof ANSWER);
    }
    return error;
}

static void test_agree(void) {
    World world;
    HandshakeKeys keys;
    uint8_t index[HANDSHAKE_INDEX_SIZE];

    world_init(&world);
    g_assert_true(
        handshake_is_for(BYTES_AT(world.init, world.init_length), world.bob.static_public, PSK));
    handshake_index(BYTES_AT(world.answer, world.answer_length), index);
    g_assert_cmpmem(index, sizeof index, world.handshake.index, sizeof index);
    g_assert_cmpint(
        finish(&world, &world.handshake, BYTES_AT(world.answer, world.answer_length), &keys), ==,
        MESH_OK);
    g_assert_cmpmem(keys.send, 32, world.bob_keys.receive, 32);
    g_assert_cmpmem(keys.receive, 32, world.bob_keys.send, 32);
    g_assert_true(memcmp(keys.send, keys.receive, 32) != 0);
}

/* After a restart the same call gives the same bytes; any other input gives an unrelated
 * ephemeral key. */
static void test_same_seed(void) {
    World world, again;
    Handshake handshake;
    uint8_t bytes[MESH_DATAGRAM_MAX];
    const size_t ephemeral = HANDSHAKE_HEADER_SIZE;
    size_t length;

    world_init(&world);
    world_init(&again);
    g_assert_cmpmem(&world, sizeof world, &again, sizeof again);
    for (gsize i = 0; i < 4; i++) {
        uint8_t seed[32];

        memcpy(seed, world.seeds[0], sizeof seed);
        seed[31] = (uint8_t)(seed[31] ^ (i == 3));
        g_assert_cmpint(
            handshake_begin(&handshake, i == 0 ? &world.carol : &world.alice,
                            i == 1 ? world.carol.static_public : world.bob.static_public, PSK, seed,
                            i == 2 ? BYTES_OF(ANSWER) : BYTES_OF(OFFER), bytes, &length),
            ==, MESH_OK);
        g_assert_true(memcmp(bytes + ephemeral, world.init + ephemeral, 32) != 0);
        g_assert_true(memcmp(handshake.index, world.handshake.index, sizeof handshake.index) != 0);
    }
}

/* Message 1 is replayable: both readings are equal, and answered with the same bytes. */
static void test_replayed_init(void) {
    World world;
    HandshakeInit first, second;
    HandshakeKeys keys;
    uint8_t answer[MESH_DATAGRAM_MAX];
    size_t length;

    world_init(&world);
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    handshake_read(BYTES_AT(world.init, world.init_length), &world.bob, &first);
    handshake_read(BYTES_AT(world.init, world.init_length), &world.bob, &second);
    g_assert_cmpmem(first.hash, 64, second.hash, 64);
    g_assert_cmpint(
        handshake_answer(&second, PSK, world.seeds[1], BYTES_OF(ANSWER), answer, &length, &keys),
        ==, MESH_OK);
    g_assert_cmpmem(answer, (int)length, world.answer, (int)world.answer_length);
    g_assert_cmpmem(&keys, sizeof keys, &world.bob_keys, sizeof keys);
    g_assert_cmpint(
        handshake_answer(&second, PSK, world.seeds[1], BYTES_OF(OFFER), answer, &length, &keys), ==,
        MESH_OK);
    g_assert_true(
        memcmp(answer + HANDSHAKE_HEADER_SIZE, world.answer + HANDSHAKE_HEADER_SIZE, 32) != 0);
}

static void test_wrong_secrets(void) {
    World world;
    HandshakeInit init;
    HandshakeKeys keys;
    Handshake other;
    uint8_t answer[MESH_DATAGRAM_MAX];
    size_t length;
    Bytes message;

    world_init(&world);
    message = BYTES_AT(world.init, world.init_length);
    g_assert_false(handshake_is_for(message, world.bob.static_public, OTHER_PSK));
    g_assert_false(handshake_is_for(message, world.carol.static_public, PSK));
    g_assert_cmpint(handshake_read(message, &world.carol, &init), ==, MESH_ERROR_FORGED);
    g_assert_cmpint(handshake_read(message, &world.alice, &init), ==, MESH_ERROR_FORGED);

    /* A responder with another key: stopped by mac1, and by the pattern when mac1 is right. */
    g_assert_cmpint(handshake_read(message, &world.bob, &init), ==, MESH_OK);
    g_assert_cmpint(handshake_answer(&init, OTHER_PSK, world.seeds[1], BYTES_OF(ANSWER), answer,
                                     &length, &keys),
                    ==, MESH_OK);
    g_assert_cmpint(finish(&world, &world.handshake, BYTES_AT(answer, length), &keys), ==,
                    MESH_ERROR_FORGED);
    other = world.handshake;
    memcpy(other.psk, OTHER_PSK, sizeof other.psk);
    g_assert_cmpint(finish(&world, &other, BYTES_AT(world.answer, world.answer_length), &keys), ==,
                    MESH_ERROR_FORGED);

    /* Of another handshake, though everything else is right. */
    other = world.handshake;
    other.index[0] ^= 1;
    g_assert_cmpint(finish(&world, &other, BYTES_AT(world.answer, world.answer_length), &keys), ==,
                    MESH_ERROR_FORGED);
}

/* The pre-shared key is proven by the pattern too, not only by mac1, which is made again here. */
static void test_psk_in_pattern(void) {
    World world;
    HandshakeInit init;
    HandshakeKeys keys;
    uint8_t answer[MESH_DATAGRAM_MAX], head[32 + 1 + HANDSHAKE_INDEX_SIZE];
    size_t length;

    world_init(&world);
    handshake_read(BYTES_AT(world.init, world.init_length), &world.bob, &init);
    handshake_answer(&init, OTHER_PSK, world.seeds[1], BYTES_OF(ANSWER), answer, &length, &keys);
    memcpy(head, world.alice.static_public, 32);
    memcpy(head + 32, answer, 1 + HANDSHAKE_INDEX_SIZE);
    domain_derive(answer + 1 + HANDSHAKE_INDEX_SIZE, 16, "mac1", PSK, BYTES_OF(head),
                  BYTES_AT(answer + HANDSHAKE_HEADER_SIZE, length - HANDSHAKE_HEADER_SIZE));
    g_assert_cmpint(finish(&world, &world.handshake, BYTES_AT(answer, length), &keys), ==,
                    MESH_ERROR_FORGED);
}

/* Every bit of both messages, their index included, is covered before any Diffie-Hellman. */
static void test_mutated(void) {
    World world;
    HandshakeInit init;
    HandshakeKeys keys;

    world_init(&world);
    for (gsize bit = 0; bit < world.init_length * 8; bit++) {
        Bytes message = BYTES_AT(world.init, world.init_length);

        world.init[bit / 8] ^= (uint8_t)(1u << bit % 8);
        g_assert_false(handshake_is_for(message, world.bob.static_public, PSK));
        if (bit / 8 >= HANDSHAKE_HEADER_SIZE) {
            g_assert_cmpint(handshake_read(message, &world.bob, &init), ==, MESH_ERROR_FORGED);
        }
        world.init[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (gsize bit = 0; bit < world.answer_length * 8; bit++) {
        MeshError error;

        world.answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        error =
            finish(&world, &world.handshake, BYTES_AT(world.answer, world.answer_length), &keys);
        g_assert_cmpint(error, ==, bit < 8 ? MESH_ERROR_MALFORMED : MESH_ERROR_FORGED);
        world.answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    g_assert_cmpint(
        finish(&world, &world.handshake, BYTES_AT(world.answer, world.answer_length), &keys), ==,
        MESH_OK);
}

/* In heap blocks of just that size, so that a reader beyond the end is seen. */
static void test_lengths(void) {
    World world;
    HandshakeInit init;
    HandshakeKeys keys;

    world_init(&world);
    for (gsize length = 0; length <= MESH_DATAGRAM_MAX; length++) {
        uint8_t *one = g_memdup2(world.init, MAX(length, 1));
        uint8_t *two = g_memdup2(world.answer, MAX(length, 1));
        uint8_t index[HANDSHAKE_INDEX_SIZE];
        MeshError read = handshake_read(BYTES_AT(one, length), &world.bob, &init);
        MeshError finished = finish(&world, &world.handshake, BYTES_AT(two, length), &keys);

        g_assert_true((read == MESH_OK) == (length == world.init_length));
        g_assert_true(handshake_is_for(BYTES_AT(one, length), world.bob.static_public, PSK) ==
                      (length == world.init_length));
        g_assert_true((finished == MESH_OK) == (length == world.answer_length));
        if (length < HANDSHAKE_INIT_OVERHEAD_SIZE ||
            length > HANDSHAKE_INIT_OVERHEAD_SIZE + HANDSHAKE_PAYLOAD_SIZE) {
            g_assert_cmpint(read, ==, MESH_ERROR_MALFORMED);
        }
        if (length < HANDSHAKE_ANSWER_OVERHEAD_SIZE ||
            length > HANDSHAKE_ANSWER_OVERHEAD_SIZE + HANDSHAKE_PAYLOAD_SIZE) {
            g_assert_cmpint(finished, ==, MESH_ERROR_MALFORMED);
        }
        handshake_index(BYTES_AT(two, length), index);
        if (length < 1 + HANDSHAKE_INDEX_SIZE) {
            g_assert_true(sodium_is_zero(index, sizeof index));
        }
        g_free(one);
        g_free(two);
    }
}

/* Noise of every length, also dressed as a message of ours. */
static void test_garbage(void) {
    World world;
    HandshakeInit init;
    HandshakeKeys keys;
    uint8_t bytes[MESH_DATAGRAM_MAX], seed[32] = {1};

    world_init(&world);
    for (gsize length = 0; length <= sizeof bytes; length++) {
        seed[1] = (uint8_t)length;
        seed[2] = (uint8_t)(length >> 8);
        randombytes_buf_deterministic(bytes, sizeof bytes, seed);
        bytes[0] = HANDSHAKE_INIT;
        g_assert_false(handshake_is_for(BYTES_AT(bytes, length), world.bob.static_public, PSK));
        g_assert_cmpint(handshake_read(BYTES_AT(bytes, length), &world.bob, &init), !=, MESH_OK);
        bytes[0] = HANDSHAKE_ANSWER;
        memcpy(bytes + 1, world.handshake.index, HANDSHAKE_INDEX_SIZE);
        g_assert_cmpint(finish(&world, &world.handshake, BYTES_AT(bytes, length), &keys), !=,
                        MESH_OK);
    }
}

static void test_payload_sizes(void) {
    static const size_t SIZES[] = {0, 1, HANDSHAKE_PAYLOAD_SIZE - 1, HANDSHAKE_PAYLOAD_SIZE};
    World world;
    Handshake handshake;
    HandshakeInit init;
    HandshakeKeys keys, other;
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE + 1], read[HANDSHAKE_PAYLOAD_SIZE];
    uint8_t bytes[MESH_DATAGRAM_MAX];
    size_t length, payload_length;

    world_init(&world);
    memset(payload, 0xa5, sizeof payload);
    for (gsize i = 0; i < G_N_ELEMENTS(SIZES); i++) {
        Bytes offer = BYTES_AT(SIZES[i] > 0 ? payload : NULL, SIZES[i]);

        g_assert_cmpint(handshake_begin(&handshake, &world.alice, world.bob.static_public, PSK,
                                        world.seeds[0], offer, bytes, &length),
                        ==, MESH_OK);
        g_assert_true(handshake_is_for(BYTES_AT(bytes, length), world.bob.static_public, PSK));
        g_assert_cmpint(handshake_read(BYTES_AT(bytes, length), &world.bob, &init), ==, MESH_OK);
        g_assert_cmpmem(init.payload, (int)init.payload_length, payload, (int)SIZES[i]);
        g_assert_cmpint(handshake_answer(&init, PSK, world.seeds[1], offer, bytes, &length, &keys),
                        ==, MESH_OK);
        g_assert_cmpint(handshake_finish(&handshake, &world.alice, BYTES_AT(bytes, length), read,
                                         &payload_length, &other),
                        ==, MESH_OK);
        g_assert_cmpmem(read, (int)payload_length, payload, (int)SIZES[i]);
        g_assert_cmpmem(keys.send, 32, other.receive, 32);
    }
    g_assert_cmpint(handshake_begin(&handshake, &world.alice, world.bob.static_public, PSK,
                                    world.seeds[0], BYTES_OF(payload), bytes, &length),
                    ==, MESH_ERROR_INVALID);
    g_assert_cmpint(
        handshake_answer(&init, PSK, world.seeds[1], BYTES_OF(payload), bytes, &length, &keys), ==,
        MESH_ERROR_INVALID);
}

static void test_small_order(void) {
    static const uint8_t zero[32], one[32] = {1};
    World world;
    Handshake handshake;
    uint8_t bytes[MESH_DATAGRAM_MAX];
    size_t length;

    world_init(&world);
    g_assert_cmpint(handshake_begin(&handshake, &world.alice, zero, PSK, world.seeds[0],
                                    BYTES_OF(OFFER), bytes, &length),
                    ==, MESH_ERROR_INVALID);
    g_assert_cmpint(handshake_begin(&handshake, &world.alice, one, PSK, world.seeds[0],
                                    BYTES_OF(OFFER), bytes, &length),
                    ==, MESH_ERROR_INVALID);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/handshake/agree", test_agree);
    g_test_add_func("/mesh/handshake/same-seed", test_same_seed);
    g_test_add_func("/mesh/handshake/replayed-init", test_replayed_init);
    g_test_add_func("/mesh/handshake/wrong-secrets", test_wrong_secrets);
    g_test_add_func("/mesh/handshake/psk-in-pattern", test_psk_in_pattern);
    g_test_add_func("/mesh/handshake/mutated", test_mutated);
    g_test_add_func("/mesh/handshake/lengths", test_lengths);
    g_test_add_func("/mesh/handshake/garbage", test_garbage);
    g_test_add_func("/mesh/handshake/payload-sizes", test_payload_sizes);
    g_test_add_func("/mesh/handshake/small-order", test_small_order);
    return g_test_run();
}
