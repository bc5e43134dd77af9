/* SPDX-License-Identifier: MPL-2.0 */
/* The handshake against one who holds the pre-shared key, or does not: the first byte says what the
 * rest is. Nothing but the two messages themselves is ever accepted. */
#include <sodium.h>

#include "mesh/link/handshake.h"
#include "tests/fuzz/fuzz.h"

enum { RAW, PATCH_INIT, PATCH_ANSWER, PAYLOAD, MODES };

static const uint8_t PSK[32] = "the members' own pre-shared key";
static const uint8_t SEED[32] = "a seed";
static Identity alice, bob;
static Handshake handshake;
static uint8_t init_message[MESH_DATAGRAM_MAX], answer_message[MESH_DATAGRAM_MAX];
static size_t init_length, answer_length;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    HandshakeInit init;
    HandshakeKeys keys;

    FUZZ_CHECK(sodium_init() >= 0);
    identity_init(&alice, (const uint8_t *)"alice, who begins the handshakes");
    identity_init(&bob, (const uint8_t *)"bob, who answers to those for him");
    FUZZ_CHECK(handshake_begin(&handshake, &alice, bob.static_public, PSK, SEED,
                               BYTES_AT("offer", 5), init_message, &init_length) == MESH_OK);
    FUZZ_CHECK(handshake_read(BYTES_AT(init_message, init_length), &bob, &init) == MESH_OK);
    FUZZ_CHECK(handshake_answer(&init, PSK, SEED, BYTES_AT("answer", 6), answer_message,
                                &answer_length, &keys) == MESH_OK);
    return 0;
}

/* As a holder of the pre-shared key would. */
static void make_mac(uint8_t *message, size_t length, const uint8_t receiver[32]) {
    uint8_t head[32 + 1 + HANDSHAKE_INDEX_SIZE];

    if (length < HANDSHAKE_HEADER_SIZE) {
        return;
    }
    memcpy(head, receiver, 32);
    memcpy(head + 32, message, 1 + HANDSHAKE_INDEX_SIZE);
    domain_derive(message + 1 + HANDSHAKE_INDEX_SIZE, 16, "mac1", PSK, BYTES_OF(head),
                  BYTES_AT(message + HANDSHAKE_HEADER_SIZE, length - HANDSHAKE_HEADER_SIZE));
}

static MeshError take_init(const uint8_t *message, size_t length) {
    HandshakeInit init;
    MeshError error = handshake_read(BYTES_AT(message, length), &bob, &init);

    handshake_is_for(BYTES_AT(message, length), bob.static_public, PSK);
    if (error) {
        return error;
    }
    FUZZ_CHECK(init.payload_length <= HANDSHAKE_PAYLOAD_SIZE);
    return MESH_OK;
}

static MeshError take_answer(const uint8_t *message, size_t length) {
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE], index[HANDSHAKE_INDEX_SIZE];
    size_t payload_length = 0;
    HandshakeKeys keys;
    MeshError error = handshake_finish(&handshake, &alice, BYTES_AT(message, length), payload,
                                       &payload_length, &keys);

    handshake_index(BYTES_AT(message, length), index);
    FUZZ_CHECK(payload_length <= HANDSHAKE_PAYLOAD_SIZE);
    FUZZ_CHECK(!error || payload_length == 0);
    return error;
}

/* Pairs of place and value change the message; then it is read only when nothing did change but
 * what its own MAC covers. */
static void patch(const uint8_t *original, size_t length, const uint8_t *data, size_t size,
                  bool is_init) {
    uint8_t message[MESH_DATAGRAM_MAX];
    MeshError error;
    bool same;

    memcpy(message, original, length);
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t at = (size_t)(data[i] << 8 | data[i + 1]) % length;

        message[at] ^= data[i + 2];
    }
    make_mac(message, length, is_init ? bob.static_public : alice.static_public);
    error = is_init ? take_init(message, length) : take_answer(message, length);
    same = !memcmp(message + HANDSHAKE_HEADER_SIZE, original + HANDSHAKE_HEADER_SIZE,
                   length - HANDSHAKE_HEADER_SIZE);
    FUZZ_CHECK(error == MESH_OK ? same : !same || memcmp(message, original, 5));
}

static void payload(const uint8_t *data, size_t size) {
    uint8_t message[MESH_DATAGRAM_MAX], read[HANDSHAKE_PAYLOAD_SIZE];
    HandshakeKeys keys, other;
    HandshakeInit init;
    Handshake begun;
    size_t length;

    if (handshake_begin(&begun, &alice, bob.static_public, PSK, SEED, BYTES_AT(data, size), message,
                        &length)) {
        FUZZ_CHECK(size > HANDSHAKE_PAYLOAD_SIZE);
        return;
    }
    FUZZ_CHECK(handshake_is_for(BYTES_AT(message, length), bob.static_public, PSK));
    FUZZ_CHECK(handshake_read(BYTES_AT(message, length), &bob, &init) == MESH_OK);
    FUZZ_CHECK(init.payload_length == size && !memcmp(init.payload, data, size));
    FUZZ_CHECK(handshake_answer(&init, PSK, SEED, BYTES_AT(data, size), message, &length, &keys) ==
               MESH_OK);
    FUZZ_CHECK(handshake_finish(&begun, &alice, BYTES_AT(message, length), read, &length, &other) ==
               MESH_OK);
    FUZZ_CHECK(length == size && !memcmp(read, data, size));
    FUZZ_CHECK(!memcmp(keys.send, other.receive, 32) && !memcmp(keys.receive, other.send, 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy;

    if (size == 0) {
        return 0;
    }
    copy = fuzz_copy(data + 1, size - 1);
    switch (data[0] % MODES) {
    case RAW:
        FUZZ_CHECK(take_init(copy, size - 1) != MESH_OK ||
                   (size - 1 == init_length &&
                    !memcmp(copy + HANDSHAKE_HEADER_SIZE, init_message + HANDSHAKE_HEADER_SIZE,
                            init_length - HANDSHAKE_HEADER_SIZE)));
        FUZZ_CHECK(take_answer(copy, size - 1) != MESH_OK ||
                   (size - 1 == answer_length && !memcmp(copy, answer_message, answer_length)));
        break;
    case PATCH_INIT:
        patch(init_message, init_length, copy, size - 1, true);
        break;
    case PATCH_ANSWER:
        patch(answer_message, answer_length, copy, size - 1, false);
        break;
    default:
        payload(copy, size - 1);
        break;
    }
    free(copy);
    return 0;
}
