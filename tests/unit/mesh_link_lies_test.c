/* SPDX-License-Identifier: MPL-2.0 */
/* What a link answers to a peer that lies. */
#include <string.h>

#include "mesh/link/parts.h"
#include "tests/unit/mesh_link_pair.h"

enum { LEAF_SIZE = 4128 };

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
        {{0x41}, 1},                                     /* and of another */
        {{0x42, 0}, 2},                                  /* no such frame */
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
        {{0x01, 0, 64, 1}, 4},                           /* a number far away */
        {{0x01, 255, 127, 1}, 4},                        /* as far the other way */
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

/* Parts that never end take so many places, and so many bytes. */
static void test_places(void) {
    Pair pair = pair_new();
    unsigned held = 0;

    for (uint16_t i = 0; i < 200; i++) {
        held += say_chunk(&pair, PACKET_PART, LINK_DOCUMENT, i, 0, 16, 8) == MESH_OK;
    }
    g_assert_cmpuint(held, ==, MESH_PARTS_MAX);
    for (uint16_t i = 0; i < 200; i++) {
        held += say_chunk(&pair, PACKET_PART, LINK_CHAT, i, 0, 60000, 16) == MESH_OK;
    }
    g_assert_cmpuint(held, ==, MESH_PARTS_MAX + MESH_PARTS_BYTES_MAX / 60000);
    pair_free(&pair);
}

/* When places are short, what is past its life gives way, and what is not is still completed. */
static void test_places_past_life(void) {
    Pair pair = pair_new();
    PacketChunk chunk = {.kind = PACKET_PERISHABLE,
                         .priority = LINK_PICTURE,
                         .size = 16,
                         .life_us = 10 * SECOND,
                         .bytes = {(const uint8_t[8]){0}, 8}};

    g_assert_cmpint(inbox_add(&pair.link[0]->inbox, pair.now_us, &chunk), ==, MESH_OK);
    for (uint16_t i = 1; i < MESH_PARTS_MAX; i++) {
        say_chunk(&pair, PACKET_PERISHABLE, LINK_PICTURE, i, 0, 16, 8);
    }
    g_assert_cmpuint(pair.link[0]->inbox.rows[LINK_PICTURE].part_count, ==, MESH_PARTS_MAX);
    pair.now_us += 2 * SECOND;
    say_chunk(&pair, PACKET_PERISHABLE, LINK_PICTURE, MESH_PARTS_MAX, 0, 16, 8);
    g_assert_cmpuint(pair.link[0]->inbox.rows[LINK_PICTURE].part_count, ==, 2);
    say_chunk(&pair, PACKET_PERISHABLE, LINK_PICTURE, 0, 1, 16, 8);
    g_assert_cmpuint(take_all(&pair, 0), ==, 1);
    pair_free(&pair);
}

/* They fill the places of their priority and no others; a contradiction is refused. */
static void test_endless_parts(void) {
    Pair pair = pair_new();

    for (uint16_t i = 0; i < 200; i++) {
        say_chunk(&pair, PACKET_PART, LINK_DOCUMENT, i, 0, 60000, 16);
    }
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
    pair_free(&pair);
}

/* Nobody takes: no more is kept than may be queued, in number or in bytes. */
static void test_nobody_takes(void) {
    Pair pair = pair_new();

    for (uint16_t i = 1; i < 4000; i++) {
        say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, i, 0, 1000, 1000);
    }
    g_assert_cmpuint(take_all(&pair, 0), ==, MESH_QUEUE_COUNT_MAX);
    for (uint16_t i = 4000; i < 5000; i++) {
        say_chunk(&pair, PACKET_WHOLE, LINK_CHAT, i, 0, 1400, 1400);
    }
    g_assert_cmpuint(take_all(&pair, 0), ==, MESH_QUEUE_BYTES_MAX / 1400 + 1);
    pair_free(&pair);
}

/* Who never answers makes this end remember no more packets than so many, however fast the line is
 * thought to be, and forget none that held what is to arrive. */
static void test_never_answered(void) {
    Pair pair = pair_new();
    const Flight *flight = &pair.link[0]->flight;
    Packet packet;

    submit(&pair, LINK_CHAT, 60000, 0, NULL);
    settle(&pair);
    pair.link[0]->rate.delay.srtt_us = SECOND;
    pair.link[0]->rate.capacity = 100000000;
    submit(&pair, LINK_CHAT, 5000, 0, NULL);
    g_assert_true(next(&pair, 0, &packet));
    for (unsigned i = 0; i < 20000; i++) {
        submit(&pair, LINK_VOICE, 500, 1000, NULL);
        next(&pair, 0, &packet);
        pair.now_us += 20;
        g_assert_cmpuint(flight->count, <=, MESH_INFLIGHT_MAX);
    }
    g_assert_cmpuint(flight->count, ==, MESH_INFLIGHT_MAX);
    g_assert_cmpuint(settle(&pair), ==, 1);
    pair_free(&pair);
}

static void acknowledge(Pair *pair, uint64_t counter, uint64_t clock_us) {
    PacketAck ack = {.largest = (uint16_t)counter,
                     .arrival = (uint16_t)(clock_us / PACKET_TICK_US)};
    uint8_t bytes[16];
    BytesWriter writer = bytes_writer(bytes, sizeof bytes);

    packet_write_ack(&writer, &ack);
    g_assert_cmpint(say(pair, bytes, bytes_written(&writer)), ==, MESH_OK);
}

/* Sends what may leave until then, or the first packet after; returns its wire bytes. */
static uint64_t send_until(Pair *pair, uint64_t until_us) {
    uint64_t sent = 0;
    Packet packet;

    while (pair->now_us < until_us || sent == 0) {
        while (link_room(pair->link[0]) > LEAF_SIZE &&
               submit(pair, LINK_DOCUMENT, LEAF_SIZE, 0, NULL) == MESH_OK) {
        }
        if (next(pair, 0, &packet)) {
            sent += packet.length + OVERHEAD;
        } else {
            pair->now_us = MAX(pair->now_us + 1, link_deadline_us(pair->link[0], pair->now_us));
        }
    }
    return sent;
}

/* Any of the last packets came, in any order, by a clock that goes on and back: no more is believed
 * than what left here, where a line that is getting faster may be tried with twice that. */
static void test_liar_gets_no_more_than_left(void) {
    for (uint32_t seed = 1; seed <= 20; seed++) {
        GRand *random = g_rand_new_with_seed(seed);
        Pair pair = pair_new();
        uint64_t most_bps = 0, clock_us = SECOND;

        for (unsigned round = 0; round < 300; round++) {
            uint64_t from_us = pair.now_us;
            uint64_t bytes = send_until(&pair, from_us + SECOND / 20);

            most_bps = MAX(most_bps, bytes * 8 * SECOND / MAX(pair.now_us - from_us, SECOND / 20));
            if (round >= 20) { /* too little is known before */
                g_assert_cmpuint(link_rate_bps(pair.link[0]), <=, 2 * most_bps);
            }
            for (unsigned i = 0; i < 6; i++) {
                uint64_t back = (uint64_t)g_rand_int_range(random, 1, 9);

                clock_us += (uint64_t)g_rand_int_range(random, -30000, 40000);
                acknowledge(&pair, pair.counter[0] - MIN(back, pair.counter[0]), clock_us);
            }
        }
        g_rand_free(random);
        pair_free(&pair);
    }
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
    g_test_add_func("/mesh/link/malformed", test_malformed);
    g_test_add_func("/mesh/link/false_acknowledgements", test_false_acknowledgements);
    g_test_add_func("/mesh/link/places", test_places);
    g_test_add_func("/mesh/link/places_past_life", test_places_past_life);
    g_test_add_func("/mesh/link/endless_parts", test_endless_parts);
    g_test_add_func("/mesh/link/nobody_takes", test_nobody_takes);
    g_test_add_func("/mesh/link/never_answered", test_never_answered);
    g_test_add_func("/mesh/link/liar_gets_no_more_than_left", test_liar_gets_no_more_than_left);
    g_test_add_func("/mesh/link/garbage", test_garbage);
    return g_test_run();
}
