/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/handshake.h"

#include <sodium.h>
#include <string.h>

#include "mesh/link/noise.h"

#define PROLOGUE    BYTES_AT("maillon/1", 9)
#define MAC_SIZE    16
#define PREFIX_SIZE (1 + HANDSHAKE_INDEX_SIZE)

_Static_assert(HANDSHAKE_HEADER_SIZE == PREFIX_SIZE + MAC_SIZE, "type, index, mac1");
_Static_assert(HANDSHAKE_INIT_OVERHEAD_SIZE == HANDSHAKE_HEADER_SIZE + NOISE_INIT_SIZE, "");
_Static_assert(HANDSHAKE_ANSWER_OVERHEAD_SIZE == HANDSHAKE_HEADER_SIZE + NOISE_ANSWER_SIZE, "");
_Static_assert(HANDSHAKE_INIT_OVERHEAD_SIZE + HANDSHAKE_PAYLOAD_SIZE <= MESH_DATAGRAM_MAX, "");

static NoisePair static_pair(const Identity *self) {
    NoisePair pair;

    memcpy(pair.secret, self->static_secret, sizeof pair.secret);
    memcpy(pair.public, self->static_public, sizeof pair.public);
    return pair;
}

/* Bound to everything that is sealed under what comes of it, so that a seed used twice can only
 * repeat a message, never seal two under one key. */
static NoisePair ephemeral_pair(const uint8_t seed[32], Bytes context, Bytes payload) {
    uint8_t secret[NOISE_KEY_SIZE];
    NoisePair pair;

    domain_derive(secret, sizeof secret, "ephemeral", seed, context, payload);
    pair = noise_pair(secret);
    sodium_memzero(secret, sizeof secret);
    return pair;
}

/* Over the receiver's static key and the whole message but the MAC itself. */
static void mac(const uint8_t *message, size_t length, const uint8_t receiver[32],
                const uint8_t psk[HANDSHAKE_PSK_SIZE], uint8_t ret_mac[MAC_SIZE]) {
    uint8_t head[32 + PREFIX_SIZE];

    memcpy(head, receiver, 32);
    memcpy(head + 32, message, PREFIX_SIZE);
    domain_derive(ret_mac, MAC_SIZE, "mac1", psk, BYTES_OF(head),
                  BYTES_AT(message + HANDSHAKE_HEADER_SIZE, length - HANDSHAKE_HEADER_SIZE));
}

static bool mac_is_valid(Bytes message, const uint8_t receiver[32],
                         const uint8_t psk[HANDSHAKE_PSK_SIZE]) {
    uint8_t expected[MAC_SIZE];

    mac(message.data, message.length, receiver, psk, expected);
    return bytes_equal(expected, message.data + PREFIX_SIZE, MAC_SIZE);
}

static bool is_message(Bytes message, uint8_t type, size_t overhead) {
    return message.length >= overhead && message.length <= overhead + HANDSHAKE_PAYLOAD_SIZE &&
           message.data[0] == type;
}

static Bytes noise_part(Bytes message) {
    return BYTES_AT(message.data + HANDSHAKE_HEADER_SIZE, message.length - HANDSHAKE_HEADER_SIZE);
}

MeshError handshake_begin(Handshake *ret_handshake, const Identity *self,
                          const uint8_t responder_static[32], const uint8_t psk[HANDSHAKE_PSK_SIZE],
                          const uint8_t seed[32], Bytes payload, uint8_t *ret_bytes,
                          size_t *ret_length) {
    NoisePair pair = static_pair(self);
    NoisePair ephemeral;
    NoiseState state;
    Handshake handshake;
    uint8_t context[64];
    size_t length = HANDSHAKE_INIT_OVERHEAD_SIZE + payload.length;
    MeshError error = MESH_ERROR_INVALID;

    memcpy(context, self->static_public, 32);
    memcpy(context + 32, responder_static, 32);
    ephemeral = ephemeral_pair(seed, BYTES_OF(context), payload);
    if (payload.length <= HANDSHAKE_PAYLOAD_SIZE) {
        error = noise_write_init(PROLOGUE, &pair, &ephemeral, responder_static, payload,
                                 ret_bytes + HANDSHAKE_HEADER_SIZE, &state);
    }
    if (!error) {
        domain_hash(handshake.index, HANDSHAKE_INDEX_SIZE, "index", BYTES_OF(ephemeral.public),
                    BYTES_NONE);
        memcpy(handshake.chaining_key, state.chaining_key, sizeof handshake.chaining_key);
        memcpy(handshake.hash, state.hash, sizeof handshake.hash);
        memcpy(handshake.ephemeral_secret, ephemeral.secret, sizeof handshake.ephemeral_secret);
        memcpy(handshake.psk, psk, sizeof handshake.psk);
        ret_bytes[0] = HANDSHAKE_INIT;
        memcpy(ret_bytes + 1, handshake.index, HANDSHAKE_INDEX_SIZE);
        mac(ret_bytes, length, responder_static, psk, ret_bytes + PREFIX_SIZE);
        *ret_handshake = handshake;
        *ret_length = length;
    }
    sodium_memzero(&pair, sizeof pair);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(&handshake, sizeof handshake);
    return error;
}

bool handshake_is_for(Bytes message, const uint8_t responder_static[32],
                      const uint8_t psk[HANDSHAKE_PSK_SIZE]) {
    return is_message(message, HANDSHAKE_INIT, HANDSHAKE_INIT_OVERHEAD_SIZE) &&
           mac_is_valid(message, responder_static, psk);
}

MeshError handshake_read(Bytes message, const Identity *self, HandshakeInit *ret_init) {
    NoisePair pair = static_pair(self);
    NoiseState state;
    HandshakeInit init = {.payload_length = 0};
    MeshError error = MESH_ERROR_MALFORMED;

    if (is_message(message, HANDSHAKE_INIT, HANDSHAKE_INIT_OVERHEAD_SIZE)) {
        error = noise_read_init(PROLOGUE, &pair, noise_part(message), init.initiator_static,
                                init.initiator_ephemeral, init.payload, &state);
    }
    if (!error) {
        init.payload_length = message.length - HANDSHAKE_INIT_OVERHEAD_SIZE;
        memcpy(init.index, message.data + 1, HANDSHAKE_INDEX_SIZE);
        memcpy(init.chaining_key, state.chaining_key, sizeof init.chaining_key);
        memcpy(init.hash, state.hash, sizeof init.hash);
        *ret_init = init;
    }
    sodium_memzero(&pair, sizeof pair);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(&init, sizeof init);
    return error;
}

MeshError handshake_answer(const HandshakeInit *init, const uint8_t psk[HANDSHAKE_PSK_SIZE],
                           const uint8_t seed[32], Bytes payload, uint8_t *ret_bytes,
                           size_t *ret_length, HandshakeKeys *ret_keys) {
    NoisePair ephemeral;
    NoiseState state;
    NoiseKeys keys;
    size_t length = HANDSHAKE_ANSWER_OVERHEAD_SIZE + payload.length;
    MeshError error;

    if (payload.length > HANDSHAKE_PAYLOAD_SIZE) {
        return MESH_ERROR_INVALID;
    }
    ephemeral = ephemeral_pair(seed, BYTES_OF(init->hash), payload);
    memcpy(state.chaining_key, init->chaining_key, sizeof state.chaining_key);
    memcpy(state.hash, init->hash, sizeof state.hash);
    error =
        noise_write_answer(&state, &ephemeral, init->initiator_static, init->initiator_ephemeral,
                           psk, payload, ret_bytes + HANDSHAKE_HEADER_SIZE, &keys);
    if (!error) {
        ret_bytes[0] = HANDSHAKE_ANSWER;
        memcpy(ret_bytes + 1, init->index, HANDSHAKE_INDEX_SIZE);
        mac(ret_bytes, length, init->initiator_static, psk, ret_bytes + PREFIX_SIZE);
        memcpy(ret_keys->send, keys.responder, sizeof ret_keys->send);
        memcpy(ret_keys->receive, keys.initiator, sizeof ret_keys->receive);
        *ret_length = length;
    }
    sodium_memzero(&ephemeral, sizeof ephemeral);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(&keys, sizeof keys);
    return error;
}

void handshake_index(Bytes message, uint8_t ret_index[HANDSHAKE_INDEX_SIZE]) {
    BytesReader reader = bytes_reader(message.data, message.length);

    bytes_read_u8(&reader);
    bytes_read_into(&reader, ret_index, HANDSHAKE_INDEX_SIZE);
}

/* In the order of cost: a table of ours, one hash, then the Diffie-Hellman. */
MeshError handshake_finish(const Handshake *handshake, const Identity *self, Bytes message,
                           uint8_t ret_payload[HANDSHAKE_PAYLOAD_SIZE], size_t *ret_payload_length,
                           HandshakeKeys *ret_keys) {
    NoisePair pair;
    NoisePair ephemeral;
    NoiseState state;
    NoiseKeys keys;
    MeshError error;

    if (!is_message(message, HANDSHAKE_ANSWER, HANDSHAKE_ANSWER_OVERHEAD_SIZE)) {
        return MESH_ERROR_MALFORMED;
    }
    if (memcmp(message.data + 1, handshake->index, HANDSHAKE_INDEX_SIZE) ||
        !mac_is_valid(message, self->static_public, handshake->psk)) {
        return MESH_ERROR_FORGED;
    }
    pair = static_pair(self);
    ephemeral = noise_pair(handshake->ephemeral_secret);
    memcpy(state.chaining_key, handshake->chaining_key, sizeof state.chaining_key);
    memcpy(state.hash, handshake->hash, sizeof state.hash);
    error = noise_read_answer(&state, &pair, &ephemeral, handshake->psk, noise_part(message),
                              ret_payload, &keys);
    if (!error) {
        memcpy(ret_keys->send, keys.initiator, sizeof ret_keys->send);
        memcpy(ret_keys->receive, keys.responder, sizeof ret_keys->receive);
        *ret_payload_length = message.length - HANDSHAKE_ANSWER_OVERHEAD_SIZE;
    }
    sodium_memzero(&pair, sizeof pair);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    sodium_memzero(&state, sizeof state);
    sodium_memzero(&keys, sizeof keys);
    return error;
}
