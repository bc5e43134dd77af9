/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The two keys drawn from the home's key, and what they do to a row: one seals secrets, the other
 * makes the checksum by which a change on the disk is noticed.
 * It owns the two keys and wipes them. It never keeps a value.
 */
#pragma once

#include <glib.h>

#include "mesh/bytes.h"

#define STORE_KEY_SIZE      32
#define STORE_CHECKSUM_SIZE 16

typedef struct {
    guint8 seal[32];
    guint8 check[32];
} StoreSeal;

/* What a row is called: its meeting (0: the home), kind and key. */
typedef struct {
    guint meeting;
    guint kind;
    Bytes key;
} StoreName;

void store_seal_init(StoreSeal *seal, const guint8 key[STORE_KEY_SIZE]);
void store_seal_finish(StoreSeal *seal);

/* Keyed BLAKE2b-128 over the name and the stored value. */
void store_seal_checksum(const StoreSeal *seal, const StoreName *name, Bytes value,
                         guint8 ret_checksum[STORE_CHECKSUM_SIZE]);
gboolean store_seal_check(const StoreSeal *seal, const StoreName *name, Bytes value,
                          Bytes checksum);

/* XChaCha20-Poly1305 under a random nonce, bound to the name. The caller unrefs. */
GBytes *store_seal_close(const StoreSeal *seal, const StoreName *name, Bytes plain);
/* In memory that is wiped when freed; NULL when it is not what was sealed. The caller unrefs. */
GBytes *store_seal_open(const StoreSeal *seal, const StoreName *name, Bytes sealed);
