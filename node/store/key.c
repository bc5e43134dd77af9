/* SPDX-License-Identifier: MPL-2.0 */
#include "node/store/key.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "node/cli/language.h"
#include "node/store/home.h"
#include "node/store/store.h"

#define MAGIC         "maillonK"
#define MAGIC_SIZE    8
#define VERSION       1
#define HEAD_SIZE     (MAGIC_SIZE + 2)
#define NONCE_SIZE    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEALED_SIZE   (STORE_KEY_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define CHECKSUM_SIZE 16
#define PLAIN_SIZE    (HEAD_SIZE + STORE_KEY_SIZE + CHECKSUM_SIZE)
/* Up to the nonce: what the sealed key is bound to. */
#define BOUND_SIZE  (HEAD_SIZE + crypto_pwhash_SALTBYTES + 8 + 8)
#define LOCKED_SIZE (BOUND_SIZE + NONCE_SIZE + SEALED_SIZE + CHECKSUM_SIZE)

static void set_refusal(GError **error, const char *path, const GError *refusal) {
    if (g_error_matches(refusal, G_FILE_ERROR, G_FILE_ERROR_NOSPC)) {
        store_home_set_errno(error, path, ENOSPC);
    } else {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_FAILED, refusal->message);
    }
}

static gboolean is_given(const char *passphrase) {
    return passphrase != NULL && *passphrase != '\0';
}

/* The key that seals the home's key. FAILED when there is not memory enough. */
static gboolean stretch(const char *passphrase, const guint8 salt[crypto_pwhash_SALTBYTES],
                        guint64 operations, guint64 memory, guint8 ret_key[32], GError **error) {
    if (crypto_pwhash(ret_key, 32, passphrase, strlen(passphrase), salt, operations, memory,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    _("not enough memory to check the passphrase"));
        return FALSE;
    }
    return TRUE;
}

static gboolean write_locked(BytesWriter *writer, const guint8 key[STORE_KEY_SIZE],
                             const char *passphrase, GError **error) {
    guint8 salt[crypto_pwhash_SALTBYTES], nonce[NONCE_SIZE], stretched[32], sealed[SEALED_SIZE];
    randombytes_buf(salt, sizeof(salt));
    randombytes_buf(nonce, sizeof(nonce));
    bytes_write(writer, salt, sizeof(salt));
    bytes_write_u64(writer, crypto_pwhash_OPSLIMIT_MODERATE);
    bytes_write_u64(writer, crypto_pwhash_MEMLIMIT_MODERATE);
    if (!stretch(passphrase, salt, crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
                 stretched, error)) {
        return FALSE;
    }
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, key, STORE_KEY_SIZE, writer->start,
                                               BOUND_SIZE, NULL, nonce, stretched);
    sodium_memzero(stretched, sizeof(stretched));
    bytes_write(writer, nonce, sizeof(nonce));
    bytes_write(writer, sealed, sizeof(sealed));
    return TRUE;
}

static void checksum_of(const guint8 *bytes, gsize length, guint8 ret_checksum[CHECKSUM_SIZE]) {
    crypto_generichash(ret_checksum, CHECKSUM_SIZE, bytes, length, NULL, 0);
}

gboolean store_key_write(const char *path, const guint8 key[STORE_KEY_SIZE], const char *passphrase,
                         GError **error) {
    guint8 bytes[LOCKED_SIZE], checksum[CHECKSUM_SIZE];
    BytesWriter writer = bytes_writer(bytes, sizeof(bytes));
    bytes_write(&writer, MAGIC, MAGIC_SIZE);
    bytes_write_u8(&writer, VERSION);
    bytes_write_u8(&writer, is_given(passphrase) ? STORE_KEY_LOCKED : STORE_KEY_PLAIN);
    if (!is_given(passphrase)) {
        bytes_write(&writer, key, STORE_KEY_SIZE);
    } else if (!write_locked(&writer, key, passphrase, error)) {
        return FALSE;
    }
    checksum_of(bytes, bytes_written(&writer), checksum);
    bytes_write(&writer, checksum, sizeof(checksum));
    g_assert(!writer.failed);
    g_autoptr(GError) refusal = NULL;
    gboolean done = g_file_set_contents_full(
        path, (const char *)bytes, (gssize)bytes_written(&writer),
        G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &refusal);
    sodium_memzero(bytes, sizeof(bytes));
    if (!done) {
        set_refusal(error, path, refusal);
    }
    return done;
}

static gboolean read_locked(const char *path, Bytes file, const char *passphrase,
                            guint8 ret_key[STORE_KEY_SIZE], GError **error) {
    BytesReader reader = bytes_reader(file.data, file.length);
    bytes_read(&reader, HEAD_SIZE);
    const guint8 *salt = bytes_read(&reader, crypto_pwhash_SALTBYTES);
    guint64 operations = bytes_read_u64(&reader);
    guint64 memory = bytes_read_u64(&reader);
    const guint8 *nonce = bytes_read(&reader, NONCE_SIZE);
    const guint8 *sealed = bytes_read(&reader, SEALED_SIZE);
    guint8 stretched[32];
    if (reader.failed || bytes_left(&reader) != CHECKSUM_SIZE ||
        operations < crypto_pwhash_OPSLIMIT_MIN || memory < crypto_pwhash_MEMLIMIT_MIN ||
        operations > crypto_pwhash_OPSLIMIT_SENSITIVE ||
        memory > crypto_pwhash_MEMLIMIT_SENSITIVE) {
        store_home_set_damaged(error, path);
        return FALSE;
    }
    if (!is_given(passphrase)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED, _("%s is locked by a passphrase"),
                    path);
        return FALSE;
    }
    if (!stretch(passphrase, salt, operations, memory, stretched, error)) {
        return FALSE;
    }
    gboolean opened =
        crypto_aead_xchacha20poly1305_ietf_decrypt(ret_key, NULL, NULL, sealed, SEALED_SIZE,
                                                   file.data, BOUND_SIZE, nonce, stretched) == 0;
    sodium_memzero(stretched, sizeof(stretched));
    if (!opened) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED, _("wrong passphrase for %s"), path);
    }
    return opened;
}

static gboolean read_bytes(const char *path, Bytes file, const char *passphrase,
                           guint8 ret_key[STORE_KEY_SIZE], StoreKeyForm *ret_form, GError **error) {
    guint8 checksum[CHECKSUM_SIZE];
    gboolean whole = file.length >= HEAD_SIZE + CHECKSUM_SIZE;
    if (whole) {
        checksum_of(file.data, file.length - CHECKSUM_SIZE, checksum);
        whole = memcmp(file.data, MAGIC, MAGIC_SIZE) == 0 &&
                memcmp(file.data + file.length - CHECKSUM_SIZE, checksum, CHECKSUM_SIZE) == 0;
    }
    if (!whole) {
        store_home_set_damaged(error, path);
        return FALSE;
    }
    if (file.data[MAGIC_SIZE] > VERSION) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
                    _("%s was written by a newer version: update Maillon"), path);
        return FALSE;
    }
    if (file.data[MAGIC_SIZE + 1] == STORE_KEY_LOCKED) {
        *ret_form = STORE_KEY_LOCKED;
        return read_locked(path, file, passphrase, ret_key, error);
    }
    if (file.data[MAGIC_SIZE + 1] != STORE_KEY_PLAIN || file.length != PLAIN_SIZE) {
        store_home_set_damaged(error, path);
        return FALSE;
    }
    *ret_form = STORE_KEY_PLAIN;
    memcpy(ret_key, file.data + HEAD_SIZE, STORE_KEY_SIZE);
    return TRUE;
}

gboolean store_key_read(const char *path, const char *passphrase, guint8 ret_key[STORE_KEY_SIZE],
                        StoreKeyForm *ret_form, GError **error) {
    g_autoptr(GError) refusal = NULL;
    char *contents;
    gsize length;
    if (!g_file_get_contents(path, &contents, &length, &refusal)) {
        set_refusal(error, path, refusal);
        return FALSE;
    }
    Bytes file = {.data = (const uint8_t *)contents, .length = length};
    gboolean done = read_bytes(path, file, passphrase, ret_key, ret_form, error);
    sodium_memzero(contents, length);
    g_free(contents);
    return done;
}
