/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/noise.h"

#include <sodium.h>
#include <string.h>

#define PROTOCOL   "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"
#define BLOCK_SIZE 128 /* of BLAKE2b: HMAC pads its key to it */
#define NONCE_SIZE crypto_aead_chacha20poly1305_ietf_NPUBBYTES
#define PARTS      3 /* bytes hashed at once come in at most this many parts */

/* What one message is made or read with: the state, and the cipher key that it leads to. Each key
 * enciphers one thing only, for a MixKey comes before each: the nonce is always 0. */
typedef struct {
    NoiseState state;
    uint8_t key[NOISE_KEY_SIZE];
    bool failed; /* a Diffie-Hellman result was zero */
} Cipher;

/* ---- hashing: sections 4.3 and 5.1 ---- */

static void hash(const Bytes parts[PARTS], uint8_t ret_hash[NOISE_HASH_SIZE]) {
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, NOISE_HASH_SIZE);
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].length > 0) {
            crypto_generichash_update(&state, parts[i].data, parts[i].length);
        }
    }
    crypto_generichash_final(&state, ret_hash, NOISE_HASH_SIZE);
    sodium_memzero(&state, sizeof state);
}

/* RFC 2104 with a key of one hash: never BLAKE2b's own keyed mode, as Noise has it. */
static void hmac(const uint8_t key[NOISE_HASH_SIZE], Bytes a, Bytes b,
                 uint8_t ret_hash[NOISE_HASH_SIZE]) {
    uint8_t pad[BLOCK_SIZE];
    uint8_t inner[NOISE_HASH_SIZE];

    memset(pad, 0x36, sizeof pad);
    for (size_t i = 0; i < NOISE_HASH_SIZE; i++) {
        pad[i] ^= key[i];
    }
    hash((Bytes[PARTS]){{pad, sizeof pad}, a, b}, inner);
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    hash((Bytes[PARTS]){{pad, sizeof pad}, {inner, sizeof inner}}, ret_hash);
    sodium_memzero(pad, sizeof pad);
    sodium_memzero(inner, sizeof inner);
}

/* HKDF with `count` outputs, one hash each, one after the other. */
static void hkdf(const uint8_t chaining_key[NOISE_HASH_SIZE], Bytes input, uint8_t count,
                 uint8_t *ret_outputs) {
    uint8_t secret[NOISE_HASH_SIZE];

    hmac(chaining_key, input, (Bytes){0}, secret);
    for (uint8_t i = 1; i <= count; i++) {
        uint8_t *output = ret_outputs + (size_t)(i - 1) * NOISE_HASH_SIZE;
        Bytes before = i > 1 ? (Bytes){output - NOISE_HASH_SIZE, NOISE_HASH_SIZE} : (Bytes){0};

        hmac(secret, before, (Bytes){&i, 1}, output);
    }
    sodium_memzero(secret, sizeof secret);
}

/* ---- the symmetric state: section 5.2 ---- */

static void mix_hash(Cipher *cipher, Bytes bytes) {
    uint8_t mixed[NOISE_HASH_SIZE];

    hash((Bytes[PARTS]){{cipher->state.hash, NOISE_HASH_SIZE}, bytes}, mixed);
    memcpy(cipher->state.hash, mixed, sizeof mixed);
}

static void mix_key(Cipher *cipher, Bytes input) {
    uint8_t outputs[2 * NOISE_HASH_SIZE];

    hkdf(cipher->state.chaining_key, input, 2, outputs);
    memcpy(cipher->state.chaining_key, outputs, NOISE_HASH_SIZE);
    memcpy(cipher->key, outputs + NOISE_HASH_SIZE, NOISE_KEY_SIZE);
    sodium_memzero(outputs, sizeof outputs);
}

static void mix_key_and_hash(Cipher *cipher, Bytes input) {
    uint8_t outputs[3 * NOISE_HASH_SIZE];

    hkdf(cipher->state.chaining_key, input, 3, outputs);
    memcpy(cipher->state.chaining_key, outputs, NOISE_HASH_SIZE);
    mix_hash(cipher, (Bytes){outputs + NOISE_HASH_SIZE, NOISE_HASH_SIZE});
    memcpy(cipher->key, outputs + 2 * NOISE_HASH_SIZE, NOISE_KEY_SIZE);
    sodium_memzero(outputs, sizeof outputs);
}

/* Token e; with a pre-shared key in the pattern the ephemeral is mixed into the key too. */
static void mix_ephemeral(Cipher *cipher, const uint8_t public[NOISE_KEY_SIZE]) {
    mix_hash(cipher, (Bytes){public, NOISE_KEY_SIZE});
    mix_key(cipher, (Bytes){public, NOISE_KEY_SIZE});
}

/* Tokens es, ss, ee and se. */
static void mix_shared(Cipher *cipher, const NoisePair *self, const uint8_t other[NOISE_KEY_SIZE]) {
    uint8_t shared[NOISE_KEY_SIZE] = {0};

    if (crypto_scalarmult(shared, self->secret, other) || sodium_is_zero(shared, sizeof shared)) {
        cipher->failed = true;
    }
    mix_key(cipher, (Bytes){shared, sizeof shared});
    sodium_memzero(shared, sizeof shared);
}

static void encrypt_and_hash(Cipher *cipher, Bytes plain, uint8_t *ret_sealed) {
    static const uint8_t nonce[NONCE_SIZE];
    unsigned long long length;

    crypto_aead_chacha20poly1305_ietf_encrypt(ret_sealed, &length, plain.data, plain.length,
                                              cipher->state.hash, NOISE_HASH_SIZE, NULL, nonce,
                                              cipher->key);
    mix_hash(cipher, (Bytes){ret_sealed, (size_t)length});
}

static bool decrypt_and_hash(Cipher *cipher, Bytes sealed, uint8_t *ret_plain) {
    static const uint8_t nonce[NONCE_SIZE];
    unsigned long long length;

    if (cipher->failed || crypto_aead_chacha20poly1305_ietf_decrypt(
                              ret_plain, &length, NULL, sealed.data, sealed.length,
                              cipher->state.hash, NOISE_HASH_SIZE, nonce, cipher->key)) {
        return false;
    }
    mix_hash(cipher, sealed);
    return true;
}

static void split(const Cipher *cipher, NoiseKeys *ret_keys) {
    uint8_t outputs[2 * NOISE_HASH_SIZE];

    hkdf(cipher->state.chaining_key, (Bytes){0}, 2, outputs);
    memcpy(ret_keys->initiator, outputs, NOISE_KEY_SIZE);
    memcpy(ret_keys->responder, outputs + NOISE_HASH_SIZE, NOISE_KEY_SIZE);
    sodium_memzero(outputs, sizeof outputs);
}

/* The name is shorter than a hash, so it is padded; IK knows the responder's key beforehand. */
static void begin(Cipher *cipher, Bytes prologue, const uint8_t responder[NOISE_KEY_SIZE]) {
    *cipher = (Cipher){.failed = false};
    memcpy(cipher->state.hash, PROTOCOL, sizeof PROTOCOL - 1);
    memcpy(cipher->state.chaining_key, cipher->state.hash, NOISE_HASH_SIZE);
    mix_hash(cipher, prologue);
    mix_hash(cipher, (Bytes){responder, NOISE_KEY_SIZE});
}

/* ---- the messages ---- */

NoisePair noise_pair(const uint8_t secret[NOISE_KEY_SIZE]) {
    NoisePair pair;

    memcpy(pair.secret, secret, NOISE_KEY_SIZE);
    crypto_scalarmult_base(pair.public, pair.secret);
    return pair;
}

MeshError noise_write_init(Bytes prologue, const NoisePair *self, const NoisePair *ephemeral,
                           const uint8_t responder[NOISE_KEY_SIZE], Bytes payload,
                           uint8_t *ret_bytes, NoiseState *ret_state) {
    uint8_t *sealed_static = ret_bytes + NOISE_KEY_SIZE;
    MeshError error = MESH_ERROR_INVALID;
    Cipher cipher;

    begin(&cipher, prologue, responder);
    memcpy(ret_bytes, ephemeral->public, NOISE_KEY_SIZE);
    mix_ephemeral(&cipher, ephemeral->public);
    mix_shared(&cipher, ephemeral, responder);
    encrypt_and_hash(&cipher, (Bytes){self->public, NOISE_KEY_SIZE}, sealed_static);
    mix_shared(&cipher, self, responder);
    encrypt_and_hash(&cipher, payload, sealed_static + NOISE_KEY_SIZE + NOISE_TAG_SIZE);
    if (!cipher.failed) {
        *ret_state = cipher.state;
        error = MESH_OK;
    }
    sodium_memzero(&cipher, sizeof cipher);
    return error;
}

MeshError noise_read_init(Bytes prologue, const NoisePair *self, Bytes message,
                          uint8_t ret_initiator[NOISE_KEY_SIZE],
                          uint8_t ret_ephemeral[NOISE_KEY_SIZE], uint8_t *ret_payload,
                          NoiseState *ret_state) {
    BytesReader reader = bytes_reader(message.data, message.length);
    const uint8_t *ephemeral = bytes_read(&reader, NOISE_KEY_SIZE);
    const uint8_t *sealed_static = bytes_read(&reader, NOISE_KEY_SIZE + NOISE_TAG_SIZE);
    Bytes sealed = bytes_rest(&reader);
    MeshError error = MESH_ERROR_FORGED;
    uint8_t initiator[NOISE_KEY_SIZE];
    Cipher cipher;

    if (reader.failed || sealed.length < NOISE_TAG_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    begin(&cipher, prologue, self->public);
    mix_ephemeral(&cipher, ephemeral);
    mix_shared(&cipher, self, ephemeral);
    if (decrypt_and_hash(&cipher, (Bytes){sealed_static, NOISE_KEY_SIZE + NOISE_TAG_SIZE},
                         initiator)) {
        mix_shared(&cipher, self, initiator);
        if (decrypt_and_hash(&cipher, sealed, ret_payload)) {
            memcpy(ret_initiator, initiator, NOISE_KEY_SIZE);
            memcpy(ret_ephemeral, ephemeral, NOISE_KEY_SIZE);
            *ret_state = cipher.state;
            error = MESH_OK;
        }
    }
    sodium_memzero(&cipher, sizeof cipher);
    return error;
}

MeshError noise_write_answer(NoiseState *state, const NoisePair *ephemeral,
                             const uint8_t initiator[NOISE_KEY_SIZE],
                             const uint8_t initiator_ephemeral[NOISE_KEY_SIZE],
                             const uint8_t psk[NOISE_KEY_SIZE], Bytes payload, uint8_t *ret_bytes,
                             NoiseKeys *ret_keys) {
    MeshError error = MESH_ERROR_INVALID;
    Cipher cipher = {.state = *state};

    memcpy(ret_bytes, ephemeral->public, NOISE_KEY_SIZE);
    mix_ephemeral(&cipher, ephemeral->public);
    mix_shared(&cipher, ephemeral, initiator_ephemeral);
    mix_shared(&cipher, ephemeral, initiator);
    mix_key_and_hash(&cipher, (Bytes){psk, NOISE_KEY_SIZE});
    encrypt_and_hash(&cipher, payload, ret_bytes + NOISE_KEY_SIZE);
    if (!cipher.failed) {
        split(&cipher, ret_keys);
        *state = cipher.state;
        error = MESH_OK;
    }
    sodium_memzero(&cipher, sizeof cipher);
    return error;
}

MeshError noise_read_answer(NoiseState *state, const NoisePair *self, const NoisePair *ephemeral,
                            const uint8_t psk[NOISE_KEY_SIZE], Bytes message, uint8_t *ret_payload,
                            NoiseKeys *ret_keys) {
    BytesReader reader = bytes_reader(message.data, message.length);
    const uint8_t *other = bytes_read(&reader, NOISE_KEY_SIZE);
    Bytes sealed = bytes_rest(&reader);
    MeshError error = MESH_ERROR_FORGED;
    Cipher cipher = {.state = *state};

    if (reader.failed || sealed.length < NOISE_TAG_SIZE) {
        return MESH_ERROR_MALFORMED;
    }
    mix_ephemeral(&cipher, other);
    mix_shared(&cipher, ephemeral, other);
    mix_shared(&cipher, self, other);
    mix_key_and_hash(&cipher, (Bytes){psk, NOISE_KEY_SIZE});
    if (decrypt_and_hash(&cipher, sealed, ret_payload)) {
        split(&cipher, ret_keys);
        *state = cipher.state;
        error = MESH_OK;
    }
    sodium_memzero(&cipher, sizeof cipher);
    return error;
}
