/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (the Noise Protocol Framework, revision 34): its two
 * messages and the keys that they end in.
 * It owns the Noise state between the messages. It never knows a datagram's framing, an identity
 * or where keys come from, so that published vectors run through the very code that ships.
 */
#pragma once

#include "mesh/bytes.h"
#include "mesh/error.h"

#define NOISE_KEY_SIZE    32 /* X25519, ChaCha20-Poly1305 and the pre-shared key */
#define NOISE_HASH_SIZE   64 /* BLAKE2b-512 */
#define NOISE_TAG_SIZE    16
#define NOISE_INIT_SIZE   (NOISE_KEY_SIZE + NOISE_KEY_SIZE + 2 * NOISE_TAG_SIZE)
#define NOISE_ANSWER_SIZE (NOISE_KEY_SIZE + NOISE_TAG_SIZE)

/* Both ends, once the same messages passed; wipe it. */
typedef struct {
    uint8_t chaining_key[NOISE_HASH_SIZE];
    uint8_t hash[NOISE_HASH_SIZE];
} NoiseState;

/* An X25519 key pair; wipe it. */
typedef struct {
    uint8_t secret[NOISE_KEY_SIZE];
    uint8_t public[NOISE_KEY_SIZE];
} NoisePair;

/* The ciphers of Split(): what the initiator sends with, and what the responder does. */
typedef struct {
    uint8_t initiator[NOISE_KEY_SIZE];
    uint8_t responder[NOISE_KEY_SIZE];
} NoiseKeys;

/* The pair of a secret. */
NoisePair noise_pair(const uint8_t secret[NOISE_KEY_SIZE]);

/* Message 1 (e, es, s, ss): payload.length + NOISE_INIT_SIZE bytes. INVALID: a Diffie-Hellman
 * result was zero. */
MeshError noise_write_init(Bytes prologue, const NoisePair *self, const NoisePair *ephemeral,
                           const uint8_t responder[NOISE_KEY_SIZE], Bytes payload,
                           uint8_t *ret_bytes, NoiseState *ret_state);

/* Reads it; `ret_payload` has room for message.length - NOISE_INIT_SIZE. MALFORMED: too short;
 * FORGED. Nothing is given back then. */
MeshError noise_read_init(Bytes prologue, const NoisePair *self, Bytes message,
                          uint8_t ret_initiator[NOISE_KEY_SIZE],
                          uint8_t ret_ephemeral[NOISE_KEY_SIZE], uint8_t *ret_payload,
                          NoiseState *ret_state);

/* Message 2 (e, ee, se, psk): payload.length + NOISE_ANSWER_SIZE bytes. INVALID as above; the
 * state is unchanged then. */
MeshError noise_write_answer(NoiseState *state, const NoisePair *ephemeral,
                             const uint8_t initiator[NOISE_KEY_SIZE],
                             const uint8_t initiator_ephemeral[NOISE_KEY_SIZE],
                             const uint8_t psk[NOISE_KEY_SIZE], Bytes payload, uint8_t *ret_bytes,
                             NoiseKeys *ret_keys);

/* Reads it; `ret_payload` has room for message.length - NOISE_ANSWER_SIZE. MALFORMED, FORGED: the
 * state is unchanged then. */
MeshError noise_read_answer(NoiseState *state, const NoisePair *self, const NoisePair *ephemeral,
                            const uint8_t psk[NOISE_KEY_SIZE], Bytes message, uint8_t *ret_payload,
                            NoiseKeys *ret_keys);
