/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Some of a world's hosts, a bit each.
 * It owns nothing: a value to be passed about. It never says what is done to them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HOSTS_MAX 1024

typedef struct {
    uint64_t words[HOSTS_MAX / 64];
} Hosts;

/* Of the first 32 those whose bit is set. */
static inline Hosts hosts_of(uint32_t bits) {
    return (Hosts){{bits}};
}

/* All there can be. */
static inline Hosts hosts_all(void) {
    Hosts hosts;

    for (unsigned i = 0; i < HOSTS_MAX / 64; i++)
        hosts.words[i] = UINT64_MAX;
    return hosts;
}

static inline bool hosts_have(const Hosts *hosts, unsigned host) {
    return hosts->words[host / 64] >> (host % 64) & 1;
}

static inline void hosts_add(Hosts *hosts, unsigned host) {
    hosts->words[host / 64] |= UINT64_C(1) << (host % 64);
}

/* All but these. */
static inline Hosts hosts_but(Hosts hosts) {
    for (unsigned i = 0; i < HOSTS_MAX / 64; i++)
        hosts.words[i] = ~hosts.words[i];
    return hosts;
}
