/* SPDX-License-Identifier: MPL-2.0 */
/* HAIL and HERE, from strangers and from holders of the secret who seal what they like. What is
 * read is in its one form: written again, it is the same bytes. */
#include <sodium.h>

#include "mesh/overlay/hail.h"
#include "tests/fuzz/fuzz.h"

enum { RAW, SEALED_HAIL, SEALED_HERE, MODES };

#define PLAIN_SIZE (HAIL_SIZE - 1 - HAIL_NONCE_SIZE - 16)

static const uint8_t PSK[32] = "the members' own pre-shared key";

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return sodium_init() < 0;
}

static void take(const uint8_t *bytes, size_t size) {
    uint8_t *copy = fuzz_copy(bytes, size);
    uint8_t again[HAIL_SIZE];
    Hail hail;

    if (hail_read(BYTES_AT(copy, size), PSK, &hail) == MESH_OK) {
        FUZZ_CHECK(hail_write(&hail, PSK, again) == size);
        FUZZ_CHECK(!memcmp(again, copy, size));
    }
    if (hail_read_here(BYTES_AT(copy, size), PSK, &hail) == MESH_OK) {
        FUZZ_CHECK(hail_write_here(&hail, copy + 1, PSK, again) == size);
        FUZZ_CHECK(!memcmp(again, copy, size));
    }
    free(copy);
}

static void seal(uint8_t type, const uint8_t *data, size_t size) {
    uint8_t key[32], plain[PLAIN_SIZE] = {0}, message[HAIL_SIZE] = {type, 1, 2, 3};

    domain_derive(key, sizeof key, "hail", PSK, BYTES_NONE, BYTES_NONE);
    memcpy(plain, data, size < sizeof plain ? size : sizeof plain);
    crypto_aead_xchacha20poly1305_ietf_encrypt(message + 1 + HAIL_NONCE_SIZE, NULL, plain,
                                               sizeof plain, &type, 1, NULL, message + 1, key);
    take(message, sizeof message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    switch (data[0] % MODES) {
    case SEALED_HAIL:
        seal(HAIL_HAIL, data + 1, size - 1);
        break;
    case SEALED_HERE:
        seal(HAIL_HERE, data + 1, size - 1);
        break;
    default:
        take(data + 1, size - 1);
        break;
    }
    return 0;
}
