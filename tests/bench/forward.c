/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-forward`: what it costs the core in the middle to pass a packet on, beside
 * opening and sealing one of the same size. It owns a simulated world of three nodes, two of which
 * reach each other only through the third. It never counts what the world itself costs.
 *
 * stdout: one JSON object.
 */
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "tests/sim/check.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define FRAME_SIZE 900
#define OVERHEAD   (28 + 21) /* of a datagram: IP, UDP, our header and tag */
#define SPEECH_US  (5 * MINUTE_US)
#define ROUNDS     100000

static uint64_t cpu_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Opening and sealing `size` bytes, as the session does it. */
static uint64_t aead_ns(size_t size) {
    uint8_t key[crypto_aead_chacha20poly1305_ietf_KEYBYTES] = {1}, header[5] = {0};
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {2};
    uint8_t plain[MESH_DATAGRAM_MAX] = {0}, sealed[MESH_DATAGRAM_MAX + 16];
    uint64_t begun_ns = cpu_ns();

    for (unsigned i = 0; i < ROUNDS; i++) {
        nonce[0] = (uint8_t)i;
        crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, plain, size, header, sizeof header,
                                                  NULL, nonce, key);
        if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed, size + 16, header,
                                                      sizeof header, nonce, key) != 0)
            return 0;
    }
    return (cpu_ns() - begun_ns) / ROUNDS;
}

/* A in the open, B and C behind hard NATs: what B says to C goes through A. */
static Node *gather(World *world) {
    Node *a = world_add(world, network_site(world->network, NAT_NONE));
    const char *ticket;

    person_create(a, "Cellule");
    ticket = person_invite(a, MESH_ROLE_MEMBER, 2);
    for (unsigned i = 0; i < 2; i++)
        person_join(world_add(world, network_site(world->network, NAT_SYMMETRIC)), ticket,
                    MINUTE_US);
    check_settle(world, MINUTE_US);
    world_run(world, MINUTE_US, NULL, NULL);
    return a;
}

int main(void) {
    WorldOptions options = {.seed = 1};
    World *world;
    Node *a;
    size_t size;
    int status = 1;

    if (sodium_init() < 0)
        return 1;
    world = world_create(&options);
    a = gather(world);
    if (!world->failure) {
        a->cost_clock_ns = cpu_ns;
        voice_speak(world->nodes[1], FRAME_SIZE);
        world_run(world, SPEECH_US, NULL, NULL);
    }
    if (world->failure) {
        fprintf(stderr, "%s\n", world->failure);
    } else if (a->forwarded == 0) {
        fprintf(stderr, "nothing was forwarded\n");
    } else {
        size = a->forward_bytes / a->forwarded;
        printf("{\"packets\":%" G_GUINT64_FORMAT ",\"size\":%zu,\"forward_ns\":%" G_GUINT64_FORMAT
               ",\"aead_ns\":%" G_GUINT64_FORMAT "}\n",
               a->forwarded, size, a->forward_ns / a->forwarded, aead_ns(size - OVERHEAD));
        status = 0;
    }
    world_destroy(world);
    return status;
}
