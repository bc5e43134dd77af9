/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool memory_grow_secret(void **array, size_t *capacity, size_t count, size_t size) {
    size_t wanted = *capacity;
    void *former = *array, *bigger = NULL;

    if (count < *capacity) {
        return true;
    }
    if (!memory_grow(&bigger, &wanted, count, size)) {
        return false;
    }
    if (former) {
        memcpy(bigger, former, count * size);
        sodium_memzero(former, *capacity * size);
    }
    free(former);
    *array = bigger;
    *capacity = wanted;
    return true;
}

bool memory_grow(void **array, size_t *capacity, size_t count, size_t size) {
    size_t wanted = *capacity ? *capacity + *capacity / 2 : 16;
    void *bigger;

    if (count < *capacity) {
        return true;
    }
    bigger = realloc(*array, wanted * size);
    if (!bigger) {
        return false;
    }
    *array = bigger;
    *capacity = wanted;
    return true;
}

char *memory_text(Bytes text) {
    char *copy = malloc(text.length + 1);

    if (copy) {
        if (text.length > 0) {
            memcpy(copy, text.data, text.length);
        }
        copy[text.length] = '\0';
    }
    return copy;
}

void *memory_copy(const void *data, size_t length) {
    void *copy = malloc(length > 0 ? length : 1);

    if (copy && length > 0) {
        memcpy(copy, data, length);
    }
    return copy;
}
