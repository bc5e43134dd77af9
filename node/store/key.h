/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The file that keeps the home's key, as it is or sealed under a passphrase.
 * It owns the format of the file. It never keeps the key or the passphrase after a call.
 *
 * The file: "maillonK", version u8, form u8, then by form
 *   plain:  key[32]
 *   locked: salt[16], operations u64, memory u64, nonce[24], sealed key[48]
 * and BLAKE2b-128 of all before. Numbers are little-endian. Argon2id makes the sealing key of
 * XChaCha20-Poly1305, which is bound to what stands before the nonce.
 */
#pragma once

#include "node/store/seal.h"

typedef enum {
    STORE_KEY_PLAIN = 0,
    STORE_KEY_LOCKED = 1,
} StoreKeyForm;

/*
 * Writes the file, mode 0600, in one step and durably; plain when `passphrase` is NULL or empty.
 * FULL, FAILED. Takes about a second and 256 MiB with a passphrase.
 */
gboolean store_key_write(const char *path, const guint8 key[STORE_KEY_SIZE], const char *passphrase,
                         GError **error);
/* DAMAGED, NEWER, LOCKED (no passphrase, or a wrong one), FAILED. */
gboolean store_key_read(const char *path, const char *passphrase, guint8 ret_key[STORE_KEY_SIZE],
                        StoreKeyForm *ret_form, GError **error);
