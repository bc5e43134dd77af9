/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every node of a world checks the same signatures: what one found valid is not computed anew for
 * the others. The linker puts this in the place of the core's own check, which it asks.
 */
#include <glib.h>
#include <sodium.h>

#include "mesh/domain.h"

#define NAME_SIZE 32
#define KEPT_MAX  65536

bool __real_domain_verify(const MeshKey *key, const char *kind, const MeshHash *meeting,
                          Bytes bytes, const uint8_t signature[DOMAIN_SIGNATURE_SIZE]);
bool __wrap_domain_verify(const MeshKey *key, const char *kind, const MeshHash *meeting,
                          Bytes bytes, const uint8_t signature[DOMAIN_SIGNATURE_SIZE]);

static guint name_hash(gconstpointer name) {
    return *(const guint *)name;
}

static gboolean name_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, NAME_SIZE) == 0;
}

/* Everything that the answer depends on, in short. */
static void name_of(const MeshKey *key, const char *kind, const MeshHash *meeting, Bytes bytes,
                    const uint8_t *signature, uint8_t ret_name[NAME_SIZE]) {
    crypto_generichash_state state;
    uint8_t known = meeting != NULL;

    crypto_generichash_init(&state, NULL, 0, NAME_SIZE);
    crypto_generichash_update(&state, key->bytes, sizeof key->bytes);
    crypto_generichash_update(&state, signature, DOMAIN_SIGNATURE_SIZE);
    crypto_generichash_update(&state, (const uint8_t *)kind, strlen(kind) + 1);
    crypto_generichash_update(&state, &known, 1);
    if (meeting)
        crypto_generichash_update(&state, meeting->bytes, sizeof meeting->bytes);
    crypto_generichash_update(&state, bytes.data, bytes.length);
    crypto_generichash_final(&state, ret_name, NAME_SIZE);
}

bool __wrap_domain_verify(const MeshKey *key, const char *kind, const MeshHash *meeting,
                          Bytes bytes, const uint8_t signature[DOMAIN_SIGNATURE_SIZE]) {
    static GHashTable *valid;
    uint8_t name[NAME_SIZE];
    bool is_valid;

    if (!valid)
        valid = g_hash_table_new_full(name_hash, name_equal, g_free, NULL);
    name_of(key, kind, meeting, bytes, signature, name);
    if (g_hash_table_contains(valid, name))
        return true;
    is_valid = __real_domain_verify(key, kind, meeting, bytes, signature);
    if (g_hash_table_size(valid) >= KEPT_MAX)
        g_hash_table_remove_all(valid);
    if (is_valid)
        g_hash_table_add(valid, g_memdup2(name, sizeof name));
    return is_valid;
}
