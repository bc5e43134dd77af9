/* SPDX-License-Identifier: MPL-2.0 */
/* Hailing and answering, what is not said, and whatever else may come to the port. */
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "mesh/overlay/hail.h"

static const uint8_t PSK[32] = "the members' own pre-shared key";
static const uint8_t OTHER_PSK[32] = "a pre-shared key of another one";

static MeshPath address(uint8_t family, uint8_t number) {
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = family, .port = (uint16_t)(4000 + number)};

    memset(path.ip, number, family == 4 ? 4 : 16);
    return path;
}

static Hail sample(size_t addresses, uint8_t family) {
    Hail hail;

    memset(&hail, 0, sizeof hail);
    hail.address_count = addresses;
    memset(hail.nonce, 3, sizeof hail.nonce);
    memset(hail.sender.bytes, 4, sizeof hail.sender);
    for (size_t i = 0; i < addresses; i++) {
        hail.addresses[i] = address(family, (uint8_t)(i + 1));
    }
    return hail;
}

static void assert_same(const Hail *a, const Hail *b) {
    g_assert_cmpmem(a->nonce, HAIL_NONCE_SIZE, b->nonce, HAIL_NONCE_SIZE);
    g_assert_true(mesh_key_equal(&a->sender, &b->sender));
    g_assert_cmpuint(a->address_count, ==, b->address_count);
    for (size_t i = 0; i < a->address_count; i++) {
        g_assert_true(mesh_path_equal(&a->addresses[i], &b->addresses[i]));
    }
    g_assert_true(mesh_path_equal(&a->seen, &b->seen));
}

static void test_hail(void) {
    for (size_t count = 0; count <= MESH_ADDRESSES_MAX; count++) {
        Hail hail = sample(count, count % 2 ? 6 : 4), read;
        uint8_t bytes[HAIL_SIZE];

        g_assert_cmpuint(hail_write(&hail, PSK, bytes), ==, HAIL_SIZE);
        g_assert_cmpint(bytes[0], ==, HAIL_HAIL);
        g_assert_cmpmem(bytes + 1, HAIL_NONCE_SIZE, hail.nonce, HAIL_NONCE_SIZE);
        g_assert_cmpint(hail_read(BYTES_OF(bytes), PSK, &read), ==, MESH_OK);
        assert_same(&read, &hail);
        g_assert_cmpint(hail_read_here(BYTES_OF(bytes), PSK, &read), ==, MESH_ERROR_MALFORMED);
    }
}

static void test_here(void) {
    static const uint8_t nonce[HAIL_NONCE_SIZE] = "a fresh nonce of its own";

    for (size_t count = 0; count <= MESH_ADDRESSES_MAX; count++) {
        Hail here = sample(count, 6), read;
        uint8_t bytes[HAIL_SIZE];

        if (count > 0) {
            here.seen = address(count % 2 ? 6 : 4, 99);
        }
        g_assert_cmpuint(hail_write_here(&here, nonce, PSK, bytes), ==, HAIL_SIZE);
        g_assert_cmpint(bytes[0], ==, HAIL_HERE);
        g_assert_cmpmem(bytes + 1, HAIL_NONCE_SIZE, nonce, HAIL_NONCE_SIZE);
        g_assert_cmpint(hail_read_here(BYTES_OF(bytes), PSK, &read), ==, MESH_OK);
        assert_same(&read, &here);
        g_assert_cmpint(hail_read(BYTES_OF(bytes), PSK, &read), ==, MESH_ERROR_MALFORMED);
    }
}

/* The number of an interface, and paths that are no addresses, stay at home. */
static void test_not_said(void) {
    Hail hail = sample(2, 6), read;
    uint8_t bytes[HAIL_SIZE];

    hail.addresses[0].interface = 7;
    hail.addresses[0].ip[0] = 0xfe;
    hail.addresses[0].ip[1] = 0x80;
    hail.addresses[1].kind = MESH_PATH_ICE;
    hail.seen = address(4, 9);
    hail_write(&hail, PSK, bytes);
    g_assert_cmpint(hail_read(BYTES_OF(bytes), PSK, &read), ==, MESH_OK);
    g_assert_cmpuint(read.address_count, ==, 1);
    g_assert_cmpuint(read.addresses[0].interface, ==, 0);
    g_assert_true(mesh_path_is_link_local(&read.addresses[0]));
    g_assert_cmpint(read.seen.kind, ==, MESH_PATH_NONE);
    hail.seen.kind = MESH_PATH_RELAY;
    hail_write_here(&hail, hail.nonce, PSK, bytes);
    g_assert_cmpint(hail_read_here(BYTES_OF(bytes), PSK, &read), ==, MESH_OK);
    g_assert_cmpint(read.seen.kind, ==, MESH_PATH_NONE);
}

static void test_refused(void) {
    Hail hail = sample(3, 4), read, before;
    uint8_t bytes[HAIL_SIZE];

    memset(&read, 1, sizeof read);
    before = read;
    hail_write(&hail, PSK, bytes);
    g_assert_cmpint(hail_read(BYTES_OF(bytes), OTHER_PSK, &read), ==, MESH_ERROR_FORGED);
    for (gsize bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        g_assert_cmpint(hail_read(BYTES_OF(bytes), PSK, &read), ==,
                        bit < 8 ? MESH_ERROR_MALFORMED : MESH_ERROR_FORGED);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* The type is under the seal: a HAIL is never taken for a HERE. */
    bytes[0] = HAIL_HERE;
    g_assert_cmpint(hail_read_here(BYTES_OF(bytes), PSK, &read), ==, MESH_ERROR_FORGED);
    g_assert_cmpmem(&read, sizeof read, &before, sizeof before);
}

static void test_garbage(void) {
    uint8_t bytes[MESH_DATAGRAM_MAX], seed[32] = {6};
    Hail read;

    for (gsize length = 0; length <= sizeof bytes; length++) {
        g_autofree uint8_t *copy = NULL;
        MeshError expected = length == HAIL_SIZE ? MESH_ERROR_FORGED : MESH_ERROR_MALFORMED;

        seed[1] = (uint8_t)length;
        seed[2] = (uint8_t)(length >> 8);
        randombytes_buf_deterministic(bytes, sizeof bytes, seed);
        copy = g_memdup2(bytes, MAX(length, 1));
        copy[0] = HAIL_HAIL;
        g_assert_cmpint(hail_read(BYTES_AT(copy, length), PSK, &read), ==, expected);
        copy[0] = HAIL_HERE;
        g_assert_cmpint(hail_read_here(BYTES_AT(copy, length), PSK, &read), ==, expected);
    }
}

/* A holder of the secret who seals nonsense is malformed, never more. */
static void test_sealed_garbage(void) {
    const size_t plain_size = HAIL_SIZE - 1 - HAIL_NONCE_SIZE - 16;
    uint8_t key[32], seed[32] = {8}, plain[HAIL_SIZE], bytes[HAIL_SIZE];
    Hail read;
    guint accepted = 0;

    domain_derive(key, sizeof key, "hail", PSK, BYTES_NONE, BYTES_NONE);
    for (guint round = 0; round < 4000; round++) {
        uint8_t type = round % 2 ? HAIL_HERE : HAIL_HAIL;
        MeshError error;

        memcpy(seed + 1, &round, sizeof round);
        randombytes_buf_deterministic(plain, plain_size, seed);
        if (round % 4 < 2) {
            memset(plain + MESH_KEY_SIZE, 0, plain_size - MESH_KEY_SIZE);
            plain[round % plain_size] = (uint8_t)(round % 7);
        }
        bytes[0] = type;
        memset(bytes + 1, 5, HAIL_NONCE_SIZE);
        crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + 1 + HAIL_NONCE_SIZE, NULL, plain,
                                                   plain_size, &type, 1, NULL, bytes + 1, key);
        error = type == HAIL_HERE ? hail_read_here(BYTES_OF(bytes), PSK, &read)
                                  : hail_read(BYTES_OF(bytes), PSK, &read);
        g_assert_true(error == MESH_OK || error == MESH_ERROR_MALFORMED);
        accepted += error == MESH_OK;
    }
    g_assert_cmpuint(accepted, >, 0);
    g_assert_cmpuint(accepted, <, 2000);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(sodium_init(), >=, 0);
    g_test_add_func("/mesh/hail/hail", test_hail);
    g_test_add_func("/mesh/hail/here", test_here);
    g_test_add_func("/mesh/hail/not-said", test_not_said);
    g_test_add_func("/mesh/hail/refused", test_refused);
    g_test_add_func("/mesh/hail/garbage", test_garbage);
    g_test_add_func("/mesh/hail/sealed-garbage", test_sealed_garbage);
    return g_test_run();
}
