/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Hashing, key derivation and signatures, each bound to a purpose by a string "maillon/1/…".
 * It owns the device's keys while a Mesh lives. It never draws randomness.
 */
#pragma once

#include "mesh/mesh.h"

#define DOMAIN_SIGNATURE_SIZE 64
#define DOMAIN_TAG_SIZE       16
#define SHORT_KEY_SIZE        8 /* first bytes of a key, in messages between members */

typedef struct {
    MeshKey key; /* Ed25519, public */
    uint8_t sign_secret[64];
    uint8_t static_public[32]; /* X25519 of the same key */
    uint8_t static_secret[32];
} Identity;

void identity_init(Identity *identity, const uint8_t seed[MESH_SEED_SIZE]);
void identity_finish(Identity *identity);

/* The X25519 key of an Ed25519 one; FORGED when it is no good point (RFC 7748, small order). */
MeshError identity_static_of_key(const MeshKey *key, uint8_t ret_static[32]);

/* BLAKE2b of `length` bytes (1 … 64) over "maillon/1/" ‖ kind ‖ 0 ‖ a ‖ b. */
void domain_hash(uint8_t *ret_hash, size_t length, const char *kind, Bytes a, Bytes b);
/* The same keyed by 32 bytes: a MAC, or a derived key. */
void domain_derive(uint8_t *ret_bytes, size_t length, const char *kind, const uint8_t key[32],
                   Bytes a, Bytes b);

/* Ed25519 over "maillon/1/" kind ‖ 0 ‖ meeting id ‖ bytes; a NULL meeting is 32 zero bytes. */
void domain_sign(const Identity *identity, const char *kind, const MeshHash *meeting, Bytes bytes,
                 uint8_t ret_signature[DOMAIN_SIGNATURE_SIZE]);
bool domain_verify(const MeshKey *key, const char *kind, const MeshHash *meeting, Bytes bytes,
                   const uint8_t signature[DOMAIN_SIGNATURE_SIZE]);

/* Constant time. */
bool bytes_equal(const void *a, const void *b, size_t length);
bool mesh_hash_equal(const MeshHash *a, const MeshHash *b);
bool mesh_hash_is_zero(const MeshHash *hash);
bool mesh_key_equal(const MeshKey *a, const MeshKey *b);

#define BYTES_OF(array)    ((Bytes){.data = (const uint8_t *)(array), .length = sizeof(array)})
#define BYTES_AT(at, size) ((Bytes){.data = (const uint8_t *)(at), .length = (size)})
#define BYTES_NONE         ((Bytes){.data = NULL, .length = 0})
