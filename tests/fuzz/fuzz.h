/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What every fuzz target is: libFuzzer's entry point, and a check that is never compiled out.
 * It owns nothing. A target never keeps anything from one input to the next but its keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Once, before any input; 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
/* One input; 0. Whatever must hold is checked with FUZZ_CHECK. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Where mesh/ needs terminated text or a block of just that size: the caller frees. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1);

    FUZZ_CHECK(copy);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    copy[size] = 0;
    return copy;
}
