/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/keyring.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FORMER_US  UINT64_C(60000000)  /* keys are kept so long after they were replaced */
#define WAITING_US UINT64_C(600000000) /* and those that nothing came under; people carry codes */

static void drop(Keyring *keyring, size_t place) {
    Keys *keys = keyring->keys[place];

    if (keys) {
        session_finish(&keys->session);
        free(keys->answer);
        sodium_memzero(keys, sizeof *keys);
        free(keys);
        keyring->keys[place] = NULL;
        keyring->count--;
    }
}

void keyring_finish(Keyring *keyring) {
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        drop(keyring, i);
    }
    *keyring = (Keyring){.current = NULL};
}

static bool is_waiting(const Keys *keys) {
    return keys && !keys->confirmed;
}

/* Which place new keys take: an empty one, else that of a handshake that nothing followed. */
static size_t find_place(const Keyring *keyring, uint32_t chance) {
    size_t waiting[MESH_KEYS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        if (!keyring->keys[i]) {
            return i;
        }
        waiting[count] = i;
        count += is_waiting(keyring->keys[i]);
    }
    assert(count > 0); /* of others there are those in use and the former ones */
    return waiting[chance % count];
}

Keys *keyring_add(Keyring *keyring, uint64_t now_us, uint32_t chance) {
    size_t place = find_place(keyring, chance);
    Keys *keys = calloc(1, sizeof *keys);

    if (keys) {
        drop(keyring, place);
        keyring->keys[place] = keys;
        keyring->count++;
        keys->number = ++keyring->made;
        keys->made_us = now_us;
    }
    return keys;
}

void keyring_use(Keyring *keyring, Keys *keys, uint64_t now_us) {
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        const Keys *other = keyring->keys[i];

        if (other && other != keys && other != keyring->current && other->confirmed) {
            drop(keyring, i);
        }
    }
    keys->confirmed = true;
    keyring->current = keys;
    keyring->used_us = now_us;
    keyring->sealed = 0;
}

/* When these, which are not in use, are wiped. */
static uint64_t end_us(const Keyring *keyring, const Keys *keys) {
    bool replaced =
        keyring->current && (keys->confirmed || keys->number < keyring->current->number);
    uint64_t former_us = replaced ? keyring->used_us + FORMER_US : UINT64_MAX;
    uint64_t waiting_us = keys->made_us + WAITING_US;

    return former_us < waiting_us ? former_us : waiting_us;
}

void keyring_wipe(Keyring *keyring, uint64_t now_us) {
    bool others = keyring->count > (keyring->current != NULL);

    for (size_t i = 0; others && i < MESH_KEYS_MAX; i++) {
        const Keys *keys = keyring->keys[i];

        if (keys && keys != keyring->current && now_us >= end_us(keyring, keys)) {
            drop(keyring, i);
        }
    }
}

uint64_t keyring_wipe_us(const Keyring *keyring) {
    bool others = keyring->count > (keyring->current != NULL);
    uint64_t wipe_us = UINT64_MAX;

    for (size_t i = 0; others && i < MESH_KEYS_MAX; i++) {
        const Keys *keys = keyring->keys[i];

        if (keys && keys != keyring->current && end_us(keyring, keys) < wipe_us) {
            wipe_us = end_us(keyring, keys);
        }
    }
    return wipe_us;
}

Keys *keyring_answered(const Keyring *keyring, const uint8_t hash[16]) {
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        Keys *keys = keyring->keys[i];

        if (keys && keys->answer && !memcmp(keys->hash, hash, sizeof keys->hash)) {
            return keys;
        }
    }
    return NULL;
}

void keyring_lost(Keyring *keyring) {
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        Keys *keys = keyring->keys[i];

        if (is_waiting(keys)) {
            drop(keyring, i);
        } else if (keys) {
            free(keys->answer);
            keys->answer = NULL;
            keys->answer_length = 0;
        }
    }
}

bool keyring_is_stale(const Keyring *keyring, const Keys *keys, const uint8_t instance[4]) {
    const Keys *current = keyring->current;

    if (memcmp(keys->own_instance, instance, 4) != 0) {
        return true;
    }
    return current && keys->number < current->number &&
           memcmp(keys->peer_instance, current->peer_instance, 4) != 0;
}

bool keyring_is_newer(const Keyring *keyring, const Keys *keys, bool first) {
    const Keys *current = keyring->current;

    if (!current || keys->number > current->number) {
        return true;
    }
    return !keys->confirmed && !keys->own && current->own && !first;
}

Keys *keyring_sealing(const Keyring *keyring, const uint8_t instance[4]) {
    Keys *newest = NULL;

    if (keyring->current && !keyring_is_stale(keyring, keyring->current, instance)) {
        return keyring->current;
    }
    for (size_t i = 0; i < MESH_KEYS_MAX; i++) {
        Keys *keys = keyring->keys[i];

        if (keys && keys->by_hand && (!newest || keys->number > newest->number)) {
            newest = keys;
        }
    }
    return newest ? newest : keyring->current;
}
