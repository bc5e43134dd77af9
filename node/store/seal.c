/* SPDX-License-Identifier: MPL-2.0 */
#include "node/store/seal.h"

#include <sodium.h>
#include <string.h>

#define CONTEXT    "maillon"
#define KEY_SEAL   1
#define KEY_CHECK  2
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE   crypto_aead_xchacha20poly1305_ietf_ABYTES

G_STATIC_ASSERT(sizeof(CONTEXT) == crypto_kdf_CONTEXTBYTES);
G_STATIC_ASSERT(STORE_KEY_SIZE == crypto_kdf_KEYBYTES);

void store_seal_init(StoreSeal *seal, const guint8 key[STORE_KEY_SIZE]) {
    crypto_kdf_derive_from_key(seal->seal, sizeof(seal->seal), KEY_SEAL, CONTEXT, key);
    crypto_kdf_derive_from_key(seal->check, sizeof(seal->check), KEY_CHECK, CONTEXT, key);
}

void store_seal_finish(StoreSeal *seal) {
    sodium_memzero(seal, sizeof(*seal));
}

/* The name in one way only: numbers of a fixed size, then the key up to the end. */
static GByteArray *name_bytes(const StoreName *name) {
    guint32 numbers[] = {GUINT32_TO_LE(name->meeting), GUINT32_TO_LE(name->kind)};
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)numbers, sizeof(numbers));
    g_byte_array_append(bytes, name->key.data, (guint)name->key.length);
    return bytes;
}

void store_seal_checksum(const StoreSeal *seal, const StoreName *name, Bytes value,
                         guint8 ret_checksum[STORE_CHECKSUM_SIZE]) {
    guint32 numbers[] = {GUINT32_TO_LE(name->meeting), GUINT32_TO_LE(name->kind),
                         GUINT32_TO_LE((guint32)name->key.length)};
    crypto_generichash_state state;
    crypto_generichash_init(&state, seal->check, sizeof(seal->check), STORE_CHECKSUM_SIZE);
    crypto_generichash_update(&state, (const guint8 *)numbers, sizeof(numbers));
    crypto_generichash_update(&state, name->key.data, name->key.length);
    crypto_generichash_update(&state, value.data, value.length);
    crypto_generichash_final(&state, ret_checksum, STORE_CHECKSUM_SIZE);
}

gboolean store_seal_check(const StoreSeal *seal, const StoreName *name, Bytes value,
                          Bytes checksum) {
    guint8 expected[STORE_CHECKSUM_SIZE];
    store_seal_checksum(seal, name, value, expected);
    return checksum.length == sizeof(expected) &&
           sodium_memcmp(checksum.data, expected, sizeof(expected)) == 0;
}

GBytes *store_seal_close(const StoreSeal *seal, const StoreName *name, Bytes plain) {
    g_autoptr(GByteArray) bound = name_bytes(name);
    gsize size = NONCE_SIZE + plain.length + TAG_SIZE;
    guint8 *sealed = g_malloc(size);
    randombytes_buf(sealed, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_SIZE, NULL, plain.data, plain.length,
                                               bound->data, bound->len, NULL, sealed, seal->seal);
    return g_bytes_new_take(sealed, size);
}

GBytes *store_seal_open(const StoreSeal *seal, const StoreName *name, Bytes sealed) {
    if (sealed.length < NONCE_SIZE + TAG_SIZE) {
        return NULL;
    }
    g_autoptr(GByteArray) bound = name_bytes(name);
    gsize size = sealed.length - NONCE_SIZE - TAG_SIZE;
    guint8 *plain = sodium_malloc(size);
    if (plain == NULL) {
        return NULL;
    }
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data + NONCE_SIZE,
                                                   sealed.length - NONCE_SIZE, bound->data,
                                                   bound->len, sealed.data, seal->seal) != 0) {
        sodium_free(plain);
        return NULL;
    }
    return g_bytes_new_with_free_func(plain, size, sodium_free, plain);
}
