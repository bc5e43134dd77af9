/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/domain.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define PREFIX "maillon/1/"

void identity_init(Identity *identity, const uint8_t seed[MESH_SEED_SIZE]) {
    crypto_sign_seed_keypair(identity->key.bytes, identity->sign_secret, seed);
    crypto_sign_ed25519_sk_to_curve25519(identity->static_secret, identity->sign_secret);
    crypto_scalarmult_base(identity->static_public, identity->static_secret);
}

void identity_finish(Identity *identity) {
    sodium_memzero(identity, sizeof *identity);
}

MeshKey mesh_key_of_seed(const uint8_t seed[MESH_SEED_SIZE]) {
    Identity identity;
    MeshKey key;

    identity_init(&identity, seed);
    key = identity.key;
    identity_finish(&identity);
    return key;
}

MeshError identity_static_of_key(const MeshKey *key, uint8_t ret_static[32]) {
    uint8_t public[32];

    if (crypto_sign_ed25519_pk_to_curve25519(public, key->bytes)) {
        return MESH_ERROR_FORGED;
    }
    memcpy(ret_static, public, 32);
    return MESH_OK;
}

static void absorb(crypto_generichash_state *state, Bytes bytes) {
    if (bytes.length > 0) {
        crypto_generichash_update(state, bytes.data, bytes.length);
    }
}

static void hash_with(uint8_t *ret_hash, size_t length, const char *kind, const uint8_t *key,
                      Bytes a, Bytes b) {
    /* Shorter than BLAKE2b allows: the first bytes of the shortest it does. */
    uint8_t whole[64];
    size_t size = length < crypto_generichash_BYTES_MIN ? crypto_generichash_BYTES_MIN : length;
    crypto_generichash_state state;

    assert(length >= 1 && length <= sizeof whole);
    crypto_generichash_init(&state, key, key ? 32 : 0, size);
    absorb(&state, BYTES_AT(PREFIX, strlen(PREFIX)));
    absorb(&state, BYTES_AT(kind, strlen(kind) + 1));
    absorb(&state, a);
    absorb(&state, b);
    crypto_generichash_final(&state, whole, size);
    memcpy(ret_hash, whole, length);
    sodium_memzero(whole, sizeof whole);
    sodium_memzero(&state, sizeof state);
}

void domain_hash(uint8_t *ret_hash, size_t length, const char *kind, Bytes a, Bytes b) {
    hash_with(ret_hash, length, kind, NULL, a, b);
}

void domain_derive(uint8_t *ret_bytes, size_t length, const char *kind, const uint8_t key[32],
                   Bytes a, Bytes b) {
    hash_with(ret_bytes, length, kind, key, a, b);
}

/* What is signed is the hash of the bytes, so that no buffer is needed to join the parts. */
static void signed_hash(const char *kind, const MeshHash *meeting, Bytes bytes, uint8_t ret[64]) {
    static const MeshHash none;

    domain_hash(ret, 64, kind, BYTES_AT(meeting ? meeting->bytes : none.bytes, MESH_HASH_SIZE),
                bytes);
}

void domain_sign(const Identity *identity, const char *kind, const MeshHash *meeting, Bytes bytes,
                 uint8_t ret_signature[DOMAIN_SIGNATURE_SIZE]) {
    uint8_t hash[64];

    signed_hash(kind, meeting, bytes, hash);
    crypto_sign_detached(ret_signature, NULL, hash, sizeof hash, identity->sign_secret);
}

bool domain_verify(const MeshKey *key, const char *kind, const MeshHash *meeting, Bytes bytes,
                   const uint8_t signature[DOMAIN_SIGNATURE_SIZE]) {
    uint8_t hash[64];

    signed_hash(kind, meeting, bytes, hash);
    return !crypto_sign_verify_detached(signature, hash, sizeof hash, key->bytes);
}

bool bytes_equal(const void *a, const void *b, size_t length) {
    return !sodium_memcmp(a, b, length);
}

bool mesh_hash_equal(const MeshHash *a, const MeshHash *b) {
    return !memcmp(a->bytes, b->bytes, MESH_HASH_SIZE);
}

bool mesh_hash_is_zero(const MeshHash *hash) {
    static const MeshHash none;

    return mesh_hash_equal(hash, &none);
}

bool mesh_key_equal(const MeshKey *a, const MeshKey *b) {
    return !memcmp(a->bytes, b->bytes, MESH_KEY_SIZE);
}
