/* SPDX-License-Identifier: MPL-2.0 */
/* What a link promises its user, and what it answers to a peer that lies. */
#include <string.h>

#include "mesh/link/parts.h"
#include "tests/unit/mesh_link_world.h"

typedef struct {
    uint8_t bytes[CAPACITY];
    size_t length;
    uint64_t counter;
    LinkPriority priority;
} Packet;

/* Two links joined by hand. */
typedef struct {
    Link *link[2];
    uint64_t counter[2];
    uint64_t now_us;
} Pair;

static Pair pair_new(void) {
    return (Pair){.link = {link_create(OVERHEAD), link_create(OVERHEAD)}, .now_us = 1000};
}

static void pair_free(Pair *pair) {
    link_destroy(pair->link[0]);
    link_destroy(pair->link[1]);
}

static bool next(Pair *pair, unsigned from, Packet *ret_packet) {
    ret_packet->counter = pair->counter[from];
    ret_packet->length = link_next(pair->link[from], pair->now_us, ret_packet->counter,
                                   ret_packet->bytes, CAPACITY, &ret_packet->priority);
    pair->counter[from] += ret_packet->length > 0;
    return ret_packet->length > 0;
}

static MeshError give(Pair *pair, unsigned to, const Packet *packet) {
    /* A block of just that size: whatever reads past it is seen. */
    g_autofree uint8_t *copy = g_memdup2(packet->bytes, packet->length);

    return link_receive(pair->link[to], pair->now_us, packet->counter,
                        (Bytes){copy, packet->length});
}

static unsigned take_all(Pair *pair, unsigned at) {
    Bytes message;
    unsigned count = 0;

    while (link_take(pair->link[at], &message)) {
        count++;
    }
    return count;
}

/* Carries everything until both are silent; returns what came at link 1. */
static unsigned settle(Pair *pair) {
    unsigned count = 0;
    Packet packet;

    for (;;) {
        uint64_t deadline_us = UINT64_MAX;

        for (unsigned from = 0; from < 2; from++) {
            while (next(pair, from, &packet)) {
                pair->now_us += 100;
                g_assert_cmpint(give(pair, !from, &packet), ==, MESH_OK);
                count += from == 0 ? take_all(pair, 1) : 0;
            }
        }
        for (unsigned i = 0; i < 2; i++) {
            deadline_us = MIN(deadline_us, link_deadline_us(pair->link[i], pair->now_us));
        }
        if (deadline_us == UINT64_MAX) {
            return count;
        }
        pair->now_us = MAX(pair->now_us + 1, deadline_us);
    }
}

static MeshError submit(Pair *pair, LinkPriority priority, size_t size, uint64_t life_us,
                        uint64_t *ret_id) {
    static uint8_t bytes[MESH_MESSAGE_MAX + 1];

    return link_submit(pair->link[0], priority, pair->now_us,
                       life_us ? pair->now_us + life_us : UINT64_MAX, (Bytes){bytes, size}, ret_id);
}

static void test_exactly_once(void) {
    for (uint32_t seed = 1; seed <= 24; seed++) {
        World *world = world_new(seed, 256000, 50000, seed % 7 * 50000, 32000);

        for (unsigned i = 0; i < 2; i++) {
            world->line[i].jitter_us = seed % 3 == 0 ? 30000 : 0;
            world->line[i].reorder_ppm = seed % 2 ? 50000 : 0;
            world->line[i].duplicate_ppm = seed % 4 ? 20000 : 0;
            world_add(world, i, LINK_DOCUMENT, 9000, 0, 0, 12)->sizes_vary = true;
            world_add(world, i, LINK_CHAT, 3000, 200000, 0, 30)->sizes_vary = true;
            world_add(world, i, LINK_URGENT, 300, 100000, 0, 60);
            world_add(world, i, LINK_PICTURE, 8000, 500000, SECOND, 10)->sizes_vary = true;
        }
        world_run(world, world->now_us + 600 * SECOND);
        world_check_done(world);
        world_free(world);
    }
}

static uint64_t trace_of(uint32_t seed) {
    World *world = world_new(seed, 64000, 100000, 100000, 16000);
    uint64_t trace;

    world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 20);
    world_add(world, 0, LINK_VOICE, 50, 60000, 500000, 300);
    world_add(world, 1, LINK_CHAT, 500, 300000, 0, 50);
    world_run(world, world->now_us + 600 * SECOND);
    world_check_done(world);
    trace = world->now_us ^ world->line[0].bytes << 20 ^ world->line[1].bytes << 40 ^ world->steps;
    world_free(world);
    return trace;
}

static void test_same_seed_same_trace(void) {
    g_assert_cmpuint(trace_of(3), ==, trace_of(3));
    g_assert_cmpuint(trace_of(3), !=, trace_of(4));
}

static void test_sizes_and_limits(void) {
    static const size_t SIZES[] = {1, 7, 8, 9, 17, 600, 1176, 1177, 4128, MESH_MESSAGE_MAX};
    Pair pair = pair_new();
    unsigned count = 0;

    for (unsigned priority = 0; priority < LINK_PRIORITIES; priority++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(SIZES); i++) {
            g_assert_cmpint(submit(&pair, priority, SIZES[i], 0, NULL), ==, MESH_OK);
            g_assert_cmpuint(settle(&pair), ==, 1);
        }
    }
    g_assert_cmpint(submit(&pair, LINK_CHAT, MESH_MESSAGE_MAX + 1, 0, NULL), ==,
                    MESH_ERROR_TOO_LARGE);
    g_assert_cmpint(submit(&pair, LINK_CHAT, 0, 0, NULL), ==, MESH_ERROR_INVALID);
    while (submit(&pair, LINK_DOCUMENT, 10, 0, NULL) == MESH_OK) {
        count++;
    }
    g_assert_cmpuint(count, ==, MESH_QUEUE_COUNT_MAX * 5 / 8);
    g_assert_cmpuint(link_room(pair.link[0]), ==, 0);
    g_assert_cmpint(submit(&pair, LINK_DOCUMENT, 10, 0, NULL), ==, MESH_ERROR_FULL);
    g_assert_cmpint(submit(&pair, LINK_URGENT, 10, 0, NULL), ==, MESH_OK);
    g_assert_cmpuint(settle(&pair), ==, count + 1);
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).waiting, ==, 0);
    for (count = 0; submit(&pair, LINK_DOCUMENT, 60000, 0, NULL) == MESH_OK; count++) {
    }
    g_assert_cmpuint(count, ==, MESH_QUEUE_BYTES_MAX * 5 / 8 / 60000);
    g_assert_cmpuint(settle(&pair), ==, count);
    pair_free(&pair);
}

static void test_silence(void) {
    Pair pair = pair_new();
    Packet packet;

    g_assert_cmpuint(sizeof(Link), <, 4096);
    g_assert_cmpuint(link_deadline_us(pair.link[0], pair.now_us), ==, UINT64_MAX);
    g_assert_false(next(&pair, 0, &packet));
    g_assert_cmpint(submit(&pair, LINK_URGENT, 300, 0, NULL), ==, MESH_OK);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_true(link_expects(pair.link[0]));
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 1), ==, 1);
    g_assert_false(next(&pair, 1, &packet));
    g_assert_cmpuint(link_deadline_us(pair.link[1], pair.now_us), <=, pair.now_us + 25000);
    pair.now_us = link_deadline_us(pair.link[1], pair.now_us);
    g_assert_true(next(&pair, 1, &packet));
    g_assert_cmpuint(packet.length, <=, 8);
    g_assert_cmpint(give(&pair, 0, &packet), ==, MESH_OK);
    g_assert_false(link_expects(pair.link[0]));
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(link_deadline_us(pair.link[i], pair.now_us), ==, UINT64_MAX);
        pair.now_us += 3600 * SECOND;
        g_assert_false(next(&pair, i, &packet));
    }
    pair_free(&pair);
}

/* One answer tells all of a picture, as soon as the last of it is there: nobody is woken for it. */
static void test_picture_answered_once(void) {
    Pair pair = pair_new();
    Packet packet;

    g_assert_cmpint(submit(&pair, LINK_PICTURE, 2000, SECOND, NULL), ==, MESH_OK);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_false(next(&pair, 1, &packet));
    g_assert_cmpuint(link_deadline_us(pair.link[1], pair.now_us), >, pair.now_us);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 1), ==, 1);
    g_assert_cmpuint(link_deadline_us(pair.link[1], pair.now_us), <=, pair.now_us);
    g_assert_true(next(&pair, 1, &packet));
    g_assert_cmpint(give(&pair, 0, &packet), ==, MESH_OK);
    g_assert_false(link_expects(pair.link[0]));
    g_assert_cmpuint(link_deadline_us(pair.link[1], pair.now_us), ==, UINT64_MAX);
    pair_free(&pair);
}

/* The first on an unknown line is small where something in it is urgent; the next is not. */
static void test_messages_share_a_packet(void) {
    Pair pair = pair_new();
    Packet packet;

    for (unsigned i = 0; i < 8; i++) {
        submit(&pair, LINK_CHAT, 100, 0, NULL);
    }
    submit(&pair, LINK_URGENT, 100, 0, NULL);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpint(packet.priority, ==, LINK_URGENT);
    g_assert_cmpuint(packet.length, ==, 4 * 100 + 4 * 5 - 2);
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpuint(packet.length, ==, 5 * 100 + 5 * 5 - 2);
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 1), ==, 9);
    pair_free(&pair);
}

/* Never more than two packets at once before the line is known. */
static void test_careful_start(void) {
    Pair pair = pair_new();
    Packet packet;
    unsigned count = 0;

    submit(&pair, LINK_DOCUMENT, MESH_MESSAGE_MAX, 0, NULL);
    while (next(&pair, 0, &packet)) {
        count++;
    }
    g_assert_cmpuint(count, ==, 2);
    pair.now_us += 599000;
    g_assert_false(next(&pair, 0, &packet));
    pair_free(&pair);
}

static void test_priorities(void) {
    World *world = world_new(9, 64000, 50000, 0, 16000);
    Source *chat = world_add(world, 0, LINK_CHAT, 1000, 50000, 0, 3000);
    Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 3000);
    double share;

    world_run_for(world, 60 * SECOND);
    share = (double)document->bytes / (double)(document->bytes + chat->bytes);
    g_test_message("a document beside chat that never ends: %.3f of what is sent", share);
    g_assert_cmpfloat(share, >, 0.085);
    g_assert_cmpfloat(share, <, 0.2);
    world_free(world);
}

static void test_deadlines(void) {
    Pair pair = pair_new();
    Packet packet;

    /* Too late before it is sent. */
    submit(&pair, LINK_VOICE, 50, 1000, NULL);
    pair.now_us += 1000;
    g_assert_cmpuint(settle(&pair), ==, 0);
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).messages_expired, ==, 1);
    /* Lost, and too late for a repair. */
    submit(&pair, LINK_VOICE, 50, 300000, NULL);
    g_assert_true(next(&pair, 0, &packet));
    pair.now_us += 301000;
    g_assert_cmpuint(settle(&pair), ==, 0);
    /* Partly sent; then too late. Nothing is left behind on either side. */
    for (unsigned i = 0; i < 100; i++) {
        submit(&pair, LINK_PICTURE, 60000, SECOND, NULL);
        while (!next(&pair, 0, &packet)) {
            pair.now_us += 1000; /* the pace of a line hardly known makes it wait */
            g_assert_cmpuint(pair.now_us, <, (i + 2) * 2 * SECOND);
        }
        g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
        pair.now_us += SECOND;
        g_assert_cmpuint(settle(&pair), ==, 0);
    }
    submit(&pair, LINK_URGENT, 3000, 0, NULL);
    submit(&pair, LINK_PICTURE, 3000, 60 * SECOND, NULL);
    g_assert_cmpuint(settle(&pair), ==, 2);
    pair_free(&pair);
}

static void test_cancel(void) {
    Pair pair = pair_new();
    Packet packet;
    uint64_t id;

    /* Never sent, partly sent, wholly sent. */
    submit(&pair, LINK_DOCUMENT, 5000, 0, &id);
    link_cancel(pair.link[0], id);
    g_assert_cmpuint(settle(&pair), ==, 0);
    for (unsigned i = 0; i < 100; i++) {
        submit(&pair, LINK_DOCUMENT, 60000, 0, &id);
        g_assert_true(next(&pair, 0, &packet));
        g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
        link_cancel(pair.link[0], id);
        link_cancel(pair.link[0], id);
        g_assert_cmpuint(settle(&pair), ==, 0);
    }
    submit(&pair, LINK_DOCUMENT, 500, 0, &id);
    g_assert_true(next(&pair, 0, &packet)); /* lost */
    link_cancel(pair.link[0], id);
    link_cancel(pair.link[0], 12345678);
    g_assert_cmpuint(settle(&pair), ==, 1);
    submit(&pair, LINK_DOCUMENT, 5000, 0, NULL);
    g_assert_cmpuint(settle(&pair), ==, 1);
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).waiting, ==, 0);
    pair_free(&pair);
}

static void test_path_changed(void) {
    Pair pair = pair_new();
    Packet packet;
    uint64_t lost_us;

    submit(&pair, LINK_CHAT, 60000, 0, NULL);
    settle(&pair);
    for (unsigned i = 0; i < 10; i++) {
        submit(&pair, LINK_CHAT, 4000, 0, NULL);
    }
    while (next(&pair, 0, &packet)) { /* into the path that is gone */
    }
    lost_us = pair.now_us;
    link_path_changed(pair.link[0], pair.now_us);
    g_assert_cmpuint(settle(&pair), ==, 10);
    g_assert_cmpuint(pair.now_us - lost_us, <, SECOND);
    pair_free(&pair);
}

static bool holds_first_chat(const Packet *packet) {
    BytesReader reader = bytes_reader(packet->bytes, packet->length);
    PacketFrame frame;

    while (bytes_left(&reader) > 0) {
        g_assert_true(packet_read(&reader, &frame));
        if (frame.kind == PACKET_FRAME_CHUNK && frame.chunk.priority == LINK_CHAT &&
            frame.chunk.id == (uint16_t)PACKET_FIRST_ID) {
            return true;
        }
    }
    return false;
}

/* One message is lost again and again: the others pass, but not so many that it would be too old
 * when it comes at last. */
static void test_one_lost_forever(void) {
    Pair pair = pair_new();
    unsigned submitted = 0;
    unsigned arrived = 0;
    Packet packet;

    for (unsigned round = 0; round < 20000; round++) {
        while (submitted < 3000 && submit(&pair, LINK_CHAT, 700, 0, NULL) == MESH_OK) {
            submitted++;
        }
        for (unsigned from = 0; from < 2; from++) {
            if (next(&pair, from, &packet) && !holds_first_chat(&packet)) {
                g_assert_cmpint(give(&pair, !from, &packet), ==, MESH_OK);
                arrived += take_all(&pair, 1);
            }
        }
        pair.now_us += 1000;
    }
    g_assert_cmpuint(arrived, >, 900);
    g_assert_cmpuint(arrived, <, PACKET_WINDOW_SIZE);
    arrived += settle(&pair);
    while (submitted < 3000 && submit(&pair, LINK_CHAT, 700, 0, NULL) == MESH_OK) {
        submitted++;
        arrived += submitted % 64 == 0 ? settle(&pair) : 0;
    }
    g_assert_cmpuint(arrived + settle(&pair), ==, 3000);
    pair_free(&pair);
}

/* ---- a peer that lies ---- */

static MeshError say(Pair *pair, const uint8_t *bytes, size_t length) {
    Packet packet = {.length = length, .counter = pair->counter[1]++};

    if (length > 0) {
        memcpy(packet.bytes, bytes, length);
    }
    return give(pair, 0, &packet);
}

static MeshError say_chunk(Pair *pair, PacketKind kind, LinkPriority priority, uint16_t id,
                           uint16_t grain, size_t size, size_t length) {
    static const uint8_t ZEROS[CAPACITY];
    PacketChunk chunk = {.kind = kind,
                         .priority = priority,
                         .id = id,
                         .grain = grain,
                         .size = (uint16_t)size,
                         .life_us = SECOND,
                         .bytes = {ZEROS, length}};
    uint8_t bytes[CAPACITY];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);

    packet_write_chunk(&writer, &chunk, true);
    return say(pair, bytes, bytes_written(&writer));
}

static void test_malformed(void) {
    static const struct {
        uint8_t bytes[16];
        size_t length;
    } BAD[] = {
        {{0}, 0},                                        /* nothing */
        {{0x40}, 1},                                     /* a pace without its byte */
        {{0x41, 0}, 2},                                  /* no such frame */
        {{0x06, 0, 0, 1}, 4},                            /* no such priority */
        {{0x01, 0, 0}, 3},                               /* no bytes */
        {{0x01, 0}, 2},                                  /* half an id */
        {{0x21, 0, 0, 0x40, 0x10, 1, 2}, 7},             /* shorter than its length */
        {{0x21, 0, 0, 0xc0}, 4},                         /* half a length */
        {{0x39, 0, 0, 0}, 4},                            /* a FORGET with a length */
        {{0x09, 0, 0, 0, 0, 0, 1}, 7},                   /* a size of 0 */
        {{0x09, 0, 0, 1, 16, 0, 1}, 7},                  /* beyond the size */
        {{0x09, 0, 0, 0, 64, 0, 1, 2, 3}, 9},            /* not whole grains */
        {{0x09, 0, 0, 0x80, 0, 32, 0, 255, 255, 1}, 10}, /* no such grain */
        {{0x09, 0, 0, 0, 255, 255, 1}, 7},               /* too large a message */
        {{0x01, 255, 127, 1}, 4},                        /* a number far away */
        {{0x01, 0, 200, 1}, 4},                          /* a number before the first */
        {{0x80, 0, 0, 0, 0, 0}, 6},                      /* nothing was sent */
        {{0xff}, 1},                                     /* a map too long */
    };
    Pair pair = pair_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_assert_cmpint(say(&pair, BAD[i].bytes, BAD[i].length), ==, MESH_ERROR_MALFORMED);
    }
    g_assert_cmpuint(link_deadline_us(pair.link[0], pair.now_us), ==, UINT64_MAX);
    pair_free(&pair);
}

static void test_false_acknowledgements(void) {
    Pair pair = pair_new();
    Packet packet;

    pair.counter[0] = 1000;
    for (unsigned i = 0; i < 2; i++) {
        submit(&pair, LINK_URGENT, 1000, 0, NULL);
        g_assert_true(next(&pair, 0, &packet));
        pair.counter[0] += 2;
    }
    /* 1000 and 1003 were sent. */
    for (unsigned largest = 0; largest < 2000; largest++) {
        uint8_t bytes[] = {0x81, (uint8_t)largest, (uint8_t)(largest >> 8), 0, 0, 0, 0x06};

        if (largest != 1000 && largest != 1003) {
            bytes[0] = 0x80;
            g_assert_cmpint(say(&pair, bytes, 6), ==, MESH_ERROR_MALFORMED);
            bytes[0] = 0x81;
        }
        g_assert_cmpint(say(&pair, bytes, 7), ==, MESH_ERROR_MALFORMED); /* 2 and 3 before it */
    }
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).waiting, ==, 2000);
    {
        const uint8_t both[] = {0x81, 1003 & 255, 1003 >> 8, 0, 0, 0, 0x04};

        g_assert_cmpint(say(&pair, both, sizeof both), ==, MESH_OK);
        g_assert_cmpint(say(&pair, both, sizeof both), ==, MESH_OK);
    }
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).waiting, ==, 0);
    pair_free(&pair);
}

/* Parts that never end fill their places and no others; a contradiction is refused. */
static void test_endless_parts(void) {
    Pair pair = pair_new();
    unsigned held = 0;

    for (uint16_t i = 0; i < 200; i++) {
        held += say_chunk(&pair, PACKET_PART, LINK_DOCUMENT, i, 0, 60000, 16) == MESH_OK;
    }
    g_assert_cmpuint(held, ==, MESH_REASSEMBLY_MAX - 5 * INBOX_RESERVE_SIZE);
    for (uint16_t i = 0; i < 200; i++) {
        g_assert_cmpint(say_chunk(&pair, PACKET_PERISHABLE, LINK_PICTURE, i, 0, 60000, 16), ==,
                        MESH_OK);
    }
    g_assert_cmpint(say_chunk(&pair, PACKET_PART, LINK_DOCUMENT, 3, 0, 50000, 16), ==,
                    MESH_ERROR_MALFORMED);
    for (unsigned priority = 0; priority <= LINK_CHAT; priority++) {
        for (uint16_t i = 0; i < 2; i++) {
            g_assert_cmpint(say_chunk(&pair, PACKET_PART, priority, 0, i, 2 * PACKET_GRAIN_SIZE,
                                      PACKET_GRAIN_SIZE),
                            ==, MESH_OK);
        }
    }
    g_assert_cmpuint(take_all(&pair, 0), ==, 4);
    /* Again, and older than the window: repetitions. */
    g_assert_cmpint(say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, 5000, 0, 16, 16), ==, MESH_OK);
    g_assert_cmpint(say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, 5000, 0, 16, 16), ==, MESH_OK);
    g_assert_cmpint(say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, 3976, 0, 16, 16), ==, MESH_OK);
    g_assert_cmpint(say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, 3977, 0, 16, 16), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 0), ==, 2);
    /* Nobody takes: no more is kept than may be queued. */
    for (uint16_t i = 5001; i < 9000; i++) {
        say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, i, 0, 1000, 1000);
    }
    g_assert_cmpuint(take_all(&pair, 0), ==, MESH_QUEUE_COUNT_MAX);
    pair_free(&pair);
}

/* Truncated, mutated and random packets between links that are at work. */
static void test_garbage(void) {
    GRand *random = g_rand_new_with_seed(12);
    Pair pair = pair_new();
    Packet packet;

    for (unsigned round = 0; round < 40000; round++) {
        unsigned from = round & 1;

        if (round % 5 == 0) {
            submit(&pair, g_rand_int_range(random, 0, LINK_PRIORITIES),
                   (size_t)g_rand_int_range(random, 1, 6000), round % 3 ? 0 : 200000, NULL);
        }
        if (!next(&pair, from, &packet)) {
            packet.length = (size_t)g_rand_int_range(random, 0, 60);
            packet.counter = pair.counter[from]++;
            for (size_t i = 0; i < packet.length; i++) {
                packet.bytes[i] = (uint8_t)g_rand_int(random);
            }
        } else if (round % 4 == 1) {
            packet.length = (size_t)g_rand_int_range(random, 0, (int)packet.length + 1);
        } else if (round % 4 == 2) {
            size_t at = (size_t)g_rand_int_range(random, 0, (int)MIN(packet.length, 24));

            packet.bytes[at] ^= (uint8_t)(1u << g_rand_int_range(random, 0, 8));
        }
        give(&pair, !from, &packet);
        take_all(&pair, !from);
        link_deadline_us(pair.link[from], pair.now_us);
        pair.now_us += (uint64_t)g_rand_int_range(random, 0, 20000);
    }
    g_rand_free(random);
    pair_free(&pair);
}

int main(int count, char **words) {
    g_test_init(&count, &words, NULL);
    g_test_add_func("/mesh/link/exactly_once", test_exactly_once);
    g_test_add_func("/mesh/link/same_seed_same_trace", test_same_seed_same_trace);
    g_test_add_func("/mesh/link/sizes_and_limits", test_sizes_and_limits);
    g_test_add_func("/mesh/link/silence", test_silence);
    g_test_add_func("/mesh/link/picture_answered_once", test_picture_answered_once);
    g_test_add_func("/mesh/link/messages_share_a_packet", test_messages_share_a_packet);
    g_test_add_func("/mesh/link/careful_start", test_careful_start);
    g_test_add_func("/mesh/link/priorities", test_priorities);
    g_test_add_func("/mesh/link/deadlines", test_deadlines);
    g_test_add_func("/mesh/link/cancel", test_cancel);
    g_test_add_func("/mesh/link/path_changed", test_path_changed);
    g_test_add_func("/mesh/link/one_lost_forever", test_one_lost_forever);
    g_test_add_func("/mesh/link/malformed", test_malformed);
    g_test_add_func("/mesh/link/false_acknowledgements", test_false_acknowledgements);
    g_test_add_func("/mesh/link/endless_parts", test_endless_parts);
    g_test_add_func("/mesh/link/garbage", test_garbage);
    return g_test_run();
}
