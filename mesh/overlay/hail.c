/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/hail.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define TAG_SIZE     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define ADDRESS_SIZE (1 + 16 + 2) /* of an IPv6 one, the larger */
/* The nonce answered, the sender, where the HAIL was seen to come from, its addresses. */
#define PLAIN_SIZE                                                                                 \
    (HAIL_NONCE_SIZE + MESH_KEY_SIZE + ADDRESS_SIZE + 1 + MESH_ADDRESSES_MAX * ADDRESS_SIZE)

_Static_assert(HAIL_SIZE == 1 + HAIL_NONCE_SIZE + PLAIN_SIZE + TAG_SIZE, "one size for all");
_Static_assert(HAIL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20's");

static void hail_key(const uint8_t psk[32], uint8_t ret_key[32]) {
    domain_derive(ret_key, 32, "hail", psk, BYTES_NONE, BYTES_NONE);
}

static void write_addresses(BytesWriter *writer, const Hail *hail) {
    uint8_t count = 0;

    assert(hail->address_count <= MESH_ADDRESSES_MAX);
    for (size_t i = 0; i < hail->address_count; i++) {
        count = (uint8_t)(count + (hail->addresses[i].kind == MESH_PATH_KNOCK));
    }
    bytes_write_u8(writer, count);
    for (size_t i = 0; i < hail->address_count; i++) {
        if (hail->addresses[i].kind == MESH_PATH_KNOCK) {
            mesh_path_write(writer, &hail->addresses[i]);
        }
    }
}

static size_t seal(uint8_t type, const uint8_t nonce[HAIL_NONCE_SIZE], const Hail *hail,
                   const uint8_t psk[32], uint8_t *ret_bytes) {
    uint8_t plain[PLAIN_SIZE] = {0};
    BytesWriter writer = bytes_writer(plain, sizeof plain);
    uint8_t key[32];

    if (type == HAIL_HERE) {
        bytes_write(&writer, hail->nonce, HAIL_NONCE_SIZE);
    }
    bytes_write(&writer, hail->sender.bytes, MESH_KEY_SIZE);
    if (type == HAIL_HERE && hail->seen.kind == MESH_PATH_KNOCK) {
        mesh_path_write(&writer, &hail->seen);
    } else if (type == HAIL_HERE) {
        bytes_write_u8(&writer, 0);
    }
    write_addresses(&writer, hail);
    assert(!writer.failed);
    ret_bytes[0] = type;
    memcpy(ret_bytes + 1, nonce, HAIL_NONCE_SIZE);
    hail_key(psk, key);
    crypto_aead_xchacha20poly1305_ietf_encrypt(ret_bytes + 1 + HAIL_NONCE_SIZE, NULL, plain,
                                               sizeof plain, &type, 1, NULL, nonce, key);
    sodium_memzero(key, sizeof key);
    return HAIL_SIZE;
}

size_t hail_write(const Hail *hail, const uint8_t psk[32], uint8_t *ret_bytes) {
    return seal(HAIL_HAIL, hail->nonce, hail, psk, ret_bytes);
}

size_t hail_write_here(const Hail *here, const uint8_t nonce[HAIL_NONCE_SIZE],
                       const uint8_t psk[32], uint8_t *ret_bytes) {
    return seal(HAIL_HERE, nonce, here, psk, ret_bytes);
}

static MeshPath read_seen(BytesReader *reader) {
    if (bytes_left(reader) > 0 && *reader->at == 0) {
        bytes_read_u8(reader);
        return (MeshPath){.kind = MESH_PATH_NONE};
    }
    return mesh_path_read(reader);
}

/* What was sealed; false when it is not in its one form. */
static bool read_plain(uint8_t type, BytesReader reader, Hail *hail) {
    Bytes padding;

    if (type == HAIL_HERE) {
        bytes_read_into(&reader, hail->nonce, HAIL_NONCE_SIZE);
    }
    bytes_read_into(&reader, hail->sender.bytes, MESH_KEY_SIZE);
    if (type == HAIL_HERE) {
        hail->seen = read_seen(&reader);
    }
    hail->address_count = bytes_read_u8(&reader);
    if (hail->address_count > MESH_ADDRESSES_MAX) {
        return false;
    }
    for (size_t i = 0; i < hail->address_count; i++) {
        hail->addresses[i] = mesh_path_read(&reader);
    }
    padding = bytes_rest(&reader);
    return !reader.failed && sodium_is_zero(padding.data, padding.length);
}

static MeshError open_sealed(uint8_t type, Bytes message, const uint8_t psk[32], Hail *ret_hail) {
    uint8_t plain[PLAIN_SIZE];
    Hail hail = {.seen = {.kind = MESH_PATH_NONE}};
    uint8_t key[32];
    bool forged;

    if (message.length != HAIL_SIZE || message.data[0] != type) {
        return MESH_ERROR_MALFORMED;
    }
    hail_key(psk, key);
    forged = crypto_aead_xchacha20poly1305_ietf_decrypt(
        plain, NULL, NULL, message.data + 1 + HAIL_NONCE_SIZE, PLAIN_SIZE + TAG_SIZE, &type, 1,
        message.data + 1, key);
    sodium_memzero(key, sizeof key);
    if (forged) {
        return MESH_ERROR_FORGED;
    }
    memcpy(hail.nonce, message.data + 1, HAIL_NONCE_SIZE);
    if (!read_plain(type, bytes_reader(plain, sizeof plain), &hail)) {
        return MESH_ERROR_MALFORMED;
    }
    *ret_hail = hail;
    return MESH_OK;
}

MeshError hail_read(Bytes message, const uint8_t psk[32], Hail *ret_hail) {
    return open_sealed(HAIL_HAIL, message, psk, ret_hail);
}

MeshError hail_read_here(Bytes message, const uint8_t psk[32], Hail *ret_here) {
    return open_sealed(HAIL_HERE, message, psk, ret_here);
}
