/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The program `bench-forward`: what it costs the core in the middle to pass a packet on, beside
 * opening and sealing one of the same size, and beside the two system calls that one takes to come
 * and to go. It owns a simulated world of three nodes, two of which reach each other only through
 * the third. It never counts what the world itself costs.
 *
 *     bench-forward frame|sealed SIZE
 *
 * frame: a voice, of frames of so many bytes, that the third pushes on along its tree; it hears it
 * too. sealed: datagrams of so many bytes between the two, that it can only carry. stdout: one JSON
 * object.
 */
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mesh/core.h"
#include "mesh/overlay/frame.h"
#include "tests/sim/check.h"
#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define HEADERS  28 /* of a datagram: IP, UDP, */
#define OVERHEAD 21 /* our header and tag */
#define TURNS    5  /* of which that counts which cost least: others use the machine too */
#define TURN_US  MINUTE_US
#define PAUSE_US (20 * 1000)
#define ROUNDS   100000

static size_t size_asked;

/* ---- the clock ---- */

static uint64_t own_ns; /* what asking it takes, all that was asked so far */
static uint64_t each_ns;

/* Processor time, without what it takes to ask. */
static uint64_t cpu_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    own_ns += each_ns;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec - own_ns;
}

static void measure_clock(void) {
    uint64_t begun_ns = cpu_ns();

    for (unsigned i = 0; i < ROUNDS; i++)
        cpu_ns();
    each_ns = (cpu_ns() - begun_ns) / ROUNDS;
}

/* ---- what it is held against ---- */

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

/* Looking whether a frame of `size` bytes is genuine, and opening it: whoever hears it does. */
static uint64_t hear_ns(size_t size) {
    FrameKeys keys = {.cipher = {1}, .tag = {2}};
    uint8_t bytes[MESH_DATAGRAM_MAX] = {0}, body[FRAME_BODY_SIZE], plain[MESH_DATAGRAM_MAX];
    MeshFrame frame = {.kind = MESH_STREAM_VOICE, .payload = {bytes, size}};
    size_t length = frame_seal(&keys, 1, &frame, body);
    uint64_t begun_ns = cpu_ns();

    for (unsigned i = 0; i < ROUNDS; i++) {
        if (frame_read((Bytes){body, length}, MESH_STREAM_VOICE, 0, 0, &frame) ||
            !frame_is_genuine(&keys, &frame, (Bytes){body, length}))
            return 0;
        frame_open(&keys, &frame, plain);
    }
    return (cpu_ns() - begun_ns) / ROUNDS;
}

/* A UDP socket of the loopback; -1: there is none. */
static int open_socket(struct sockaddr_in *ret_address) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int file = socket(AF_INET, SOCK_DGRAM, 0);

    if (file >= 0 && (bind(file, (struct sockaddr *)&address, sizeof address) ||
                      getsockname(file, (struct sockaddr *)&address, &length))) {
        close(file);
        return -1;
    }
    *ret_address = address;
    return file;
}

/* One call that sends a datagram of `size` bytes and one that receives it; 0: they fail. */
static uint64_t syscalls_ns(size_t size) {
    uint8_t bytes[MESH_DATAGRAM_MAX] = {0};
    struct sockaddr_in from, to;
    int sends = open_socket(&from), receives = open_socket(&to);
    bool works = sends >= 0 && receives >= 0;
    uint64_t begun_ns = cpu_ns();

    for (unsigned i = 0; works && i < ROUNDS; i++)
        works = sendto(sends, bytes, size, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)size &&
                recv(receives, bytes, sizeof bytes, 0) == (ssize_t)size;
    begun_ns = cpu_ns() - begun_ns;
    if (sends >= 0)
        close(sends);
    if (receives >= 0)
        close(receives);
    return works ? begun_ns / ROUNDS : 0;
}

/* ---- the world ---- */

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

/* B sends C what only they could read, and A cannot tell from anything else. */
static void send_sealed(Node *b, gpointer unused) {
    const Node *c = b->world->nodes[2];
    uint8_t bytes[MESH_DATAGRAM_MAX];
    MeshPath path;

    dice_bytes(&b->dice, bytes, size_asked);
    bytes[0] = 0x80;
    if (world_expect(b->world, forward_path(b->mesh, c->key.bytes, &path), "B has no way to C")) {
        forward_send(b->mesh, &path, (Bytes){bytes, size_asked}, LINK_VOICE);
        node_step(b, &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    }
    node_later(b, PAUSE_US, send_sealed, NULL, NULL);
}

typedef struct {
    uint64_t packets, bytes, forward_ns, all_ns; /* of one packet */
} Cost;

static Cost one_turn(Node *relay) {
    Cost cost = {0};

    relay->forwarded = relay->forward_bytes = relay->forward_ns = relay->cost_ns = 0;
    world_run(relay->world, TURN_US, NULL, NULL);
    if (world_expect(relay->world, relay->forwarded > 0, "nothing was forwarded"))
        cost = (Cost){.packets = relay->forwarded,
                      .bytes = relay->forward_bytes / relay->forwarded,
                      .forward_ns = relay->forward_ns / relay->forwarded,
                      .all_ns = relay->cost_ns / relay->forwarded};
    return cost;
}

static Cost flow(Node *relay, bool sealed) {
    Node *b = relay->world->nodes[1];
    Cost least = {.forward_ns = UINT64_MAX};

    if (sealed)
        node_later(b, 0, send_sealed, NULL, NULL);
    else
        voice_speak(b, size_asked);
    relay->cost_clock_ns = cpu_ns;
    for (unsigned i = 0; i < TURNS; i++) {
        Cost cost = one_turn(relay);

        least = cost.forward_ns < least.forward_ns ? cost : least;
    }
    return least;
}

static void print(const Cost *cost, bool sealed) {
    size_t size = cost->bytes - HEADERS;

    printf("{\"packets\":%" G_GUINT64_FORMAT ",\"size\":%zu,\"forward_ns\":%" G_GUINT64_FORMAT
           ",\"hear_ns\":%" G_GUINT64_FORMAT ",\"all_ns\":%" G_GUINT64_FORMAT
           ",\"aead_ns\":%" G_GUINT64_FORMAT ",\"syscalls_ns\":%" G_GUINT64_FORMAT "}\n",
           cost->packets, size, cost->forward_ns, sealed ? 0 : hear_ns(size_asked), cost->all_ns,
           aead_ns(size - OVERHEAD), syscalls_ns(size));
}

int main(int count, char **words) {
    WorldOptions options = {.seed = 1};
    bool sealed = count == 3 && g_str_equal(words[1], "sealed");
    World *world;
    Cost cost = {0};
    Node *relay;

    size_asked = count == 3 ? (size_t)atoi(words[2]) : 0;
    if (size_asked < 32 || size_asked > 1000 || (!sealed && !g_str_equal(words[1], "frame")) ||
        sodium_init() < 0)
        return 2;
    measure_clock();
    world = world_create(&options);
    relay = gather(world);
    if (!world->failure)
        cost = flow(relay, sealed);
    if (world->failure)
        fprintf(stderr, "%s\n", world->failure);
    else
        print(&cost, sealed);
    count = world->failure ? 1 : 0;
    world_destroy(world);
    return count;
}
