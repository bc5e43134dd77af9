/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The handshake: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b in two datagrams, the same bytes on every
 * carrier. It owns the two messages (mesh/README.md, "Handshake") and what the initiator must
 * remember between them. It never sends, retries, or decides who may link.
 */
#pragma once

#include "mesh/domain.h"

#define HANDSHAKE_INIT         0x50 /* first byte of message 1 */
#define HANDSHAKE_ANSWER       0x51 /* first byte of message 2 */
#define HANDSHAKE_PSK_SIZE     32
#define HANDSHAKE_INDEX_SIZE   4 /* names one handshake; chosen by the initiator, echoed */
#define HANDSHAKE_PAYLOAD_SIZE 512

/* Bytes beside the payload: type, index and mac1, then the Noise message. */
#define HANDSHAKE_HEADER_SIZE          (1 + HANDSHAKE_INDEX_SIZE + 16)
#define HANDSHAKE_INIT_OVERHEAD_SIZE   (HANDSHAKE_HEADER_SIZE + 32 + 48 + 16)
#define HANDSHAKE_ANSWER_OVERHEAD_SIZE (HANDSHAKE_HEADER_SIZE + 32 + 16)

/* What both ends have after the two messages; wipe it. */
typedef struct {
    uint8_t send[32];
    uint8_t receive[32];
} HandshakeKeys;

/* The initiator between the two messages; a plain value, may be copied, wipe it. */
typedef struct {
    uint8_t index[HANDSHAKE_INDEX_SIZE];
    uint8_t chaining_key[64];
    uint8_t hash[64];
    uint8_t ephemeral_secret[32];
    uint8_t psk[HANDSHAKE_PSK_SIZE];
} Handshake;

/* Message 1 as the responder read it. */
typedef struct {
    uint8_t index[HANDSHAKE_INDEX_SIZE];
    uint8_t initiator_static[32];
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE];
    size_t payload_length;
    uint8_t chaining_key[64];
    uint8_t hash[64];
    uint8_t initiator_ephemeral[32];
} HandshakeInit;

/*
 * Writes message 1 into `ret_bytes[MESH_DATAGRAM_MAX]`. `seed`: 32 random bytes, from which (and
 * from everything else given) the ephemeral key and the index come, so that the same call gives
 * the same bytes again after a restart, and another payload never meets the same key. INVALID:
 * the responder's key is of small order, or the payload too large.
 */
MeshError handshake_begin(Handshake *ret_handshake, const Identity *self,
                          const uint8_t responder_static[32], const uint8_t psk[HANDSHAKE_PSK_SIZE],
                          const uint8_t seed[32], Bytes payload, uint8_t *ret_bytes,
                          size_t *ret_length);

/*
 * Whether message 1 was made for this static key under this pre-shared key: one keyed hash, before
 * any Diffie-Hellman. A stranger who holds no secret of the meeting never gets past it.
 */
bool handshake_is_for(Bytes message, const uint8_t responder_static[32],
                      const uint8_t psk[HANDSHAKE_PSK_SIZE]);

/* Reads message 1 that handshake_is_for. MALFORMED, FORGED. */
MeshError handshake_read(Bytes message, const Identity *self, HandshakeInit *ret_init);

/* Writes message 2 and gives the responder's keys. `seed` as above. INVALID. */
MeshError handshake_answer(const HandshakeInit *init, const uint8_t psk[HANDSHAKE_PSK_SIZE],
                           const uint8_t seed[32], Bytes payload, uint8_t *ret_bytes,
                           size_t *ret_length, HandshakeKeys *ret_keys);

/* The index in a message 1 or 2; zeros when it is too short. */
void handshake_index(Bytes message, uint8_t ret_index[HANDSHAKE_INDEX_SIZE]);

/* Reads message 2; nothing is given back when it fails. MALFORMED; FORGED, also when it answers
 * another handshake. */
MeshError handshake_finish(const Handshake *handshake, const Identity *self, Bytes message,
                           uint8_t ret_payload[HANDSHAKE_PAYLOAD_SIZE], size_t *ret_payload_length,
                           HandshakeKeys *ret_keys);
