/* SPDX-License-Identifier: MPL-2.0 */
/* What a link promises its user. */
#include <string.h>

#include "mesh/link/parts.h"
#include "tests/unit/mesh_link_pair.h"

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
    while (submit(&pair, LINK_URGENT, 60000, 0, NULL) == MESH_OK) {
        count++;
    }
    g_assert_cmpuint(count, ==, MESH_QUEUE_BYTES_MAX / 60000);
    g_assert_cmpuint(link_room(pair.link[0]), ==, 0);
    g_assert_cmpint(submit(&pair, LINK_DOCUMENT, 10, 0, NULL), ==, MESH_ERROR_FULL);
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

/* Whatever never ends beside it, a document goes on. */
static void test_priorities(void) {
    static const uint64_t LIVES_US[] = {0, 0, SECOND / 2, 0, SECOND};

    for (unsigned priority = LINK_CONTROL; priority < LINK_DOCUMENT; priority++) {
        World *world = world_new(9, 64000, 50000, 0, 16000);
        Source *more = world_add(world, 0, priority, 1000, 50000, LIVES_US[priority], 3000);
        Source *document = world_add(world, 0, LINK_DOCUMENT, 4096, 0, 0, 3000);
        double share;

        world_run_for(world, 60 * SECOND);
        share = (double)document->bytes / (double)(document->bytes + more->bytes);
        g_test_message("a document beside priority %u that never ends: %.3f of what is sent",
                       priority, share);
        g_assert_cmpfloat(share, >, priority == LINK_VOICE ? 0.03 : 0.05);
        g_assert_cmpfloat(share, <, 0.2);
        world_free(world);
    }
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

/* That a message is forgotten is told until it is known. */
static void test_cancel_told(void) {
    Pair pair = pair_new();
    Packet packet;
    uint64_t id;

    submit(&pair, LINK_DOCUMENT, 60000, 0, &id);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(pair.link[1]->inbox.rows[LINK_DOCUMENT].part_count, ==, 1);
    link_cancel(pair.link[0], id);
    for (unsigned lost = 0; lost < 3; lost++) {
        while (!next(&pair, 0, &packet)) {
            pair.now_us = MAX(pair.now_us + 1, link_deadline_us(pair.link[0], pair.now_us));
        }
    }
    g_assert_cmpuint(settle(&pair), ==, 0);
    g_assert_cmpuint(link_state(pair.link[0], pair.now_us).waiting, ==, 0);
    g_assert_cmpuint(pair.link[1]->inbox.rows[LINK_DOCUMENT].part_count, ==, 0);
    pair_free(&pair);
}

/* What is too late gives its room in the queue to what comes. */
static void test_late_makes_room(void) {
    Pair pair = pair_new();

    while (submit(&pair, LINK_VOICE, 1000, SECOND, NULL) == MESH_OK) {
    }
    g_assert_cmpint(submit(&pair, LINK_VOICE, 1000, SECOND, NULL), ==, MESH_ERROR_FULL);
    pair.now_us += SECOND;
    g_assert_cmpint(submit(&pair, LINK_VOICE, 1000, SECOND, NULL), ==, MESH_OK);
    pair_free(&pair);
}

/* The other end is told how long a part is of use, and no longer. */
static void test_life_told(void) {
    Pair pair = pair_new();
    PacketFrame frame;
    Packet packet;
    BytesReader reader;

    submit(&pair, LINK_PICTURE, 60000, SECOND, NULL);
    pair.now_us += SECOND / 4;
    g_assert_true(next(&pair, 0, &packet));
    reader = bytes_reader(packet.bytes, packet.length);
    g_assert_true(packet_read(&reader, &frame));
    g_assert_cmpint(frame.kind, ==, PACKET_FRAME_CHUNK);
    g_assert_cmpint(frame.chunk.kind, ==, PACKET_PERISHABLE);
    g_assert_cmpuint(frame.chunk.life_us, >=, SECOND * 3 / 4);
    g_assert_cmpuint(frame.chunk.life_us, <=, SECOND * 3 / 4 + PACKET_LIFE_US);
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

/* How long an answer takes by the new path is guessed by the old one: nothing waits for more. */
static void test_lost_on_new_path(void) {
    Pair pair = pair_new();
    Packet packet;
    uint64_t lost_us;

    submit(&pair, LINK_CHAT, 60000, 0, NULL);
    settle(&pair);
    link_path_changed(pair.link[0], pair.now_us);
    link_path_changed(pair.link[0], pair.now_us);
    submit(&pair, LINK_URGENT, 300, 0, NULL);
    lost_us = pair.now_us;
    g_assert_true(next(&pair, 0, &packet)); /* lost */
    g_assert_cmpuint(settle(&pair), ==, 1);
    g_assert_cmpuint(pair.now_us - lost_us, <, SECOND / 10);
    pair_free(&pair);
}

/* Of a line that was slow so far an answer may be long awaited; but not when something that left
 * later was answered. */
static void test_answered(void) {
    Pair pair = pair_new();
    Packet packet;
    uint64_t lost_us;

    submit(&pair, LINK_CHAT, 300, 0, NULL);
    g_assert_true(next(&pair, 0, &packet));
    pair.now_us += 4 * SECOND;
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 1), ==, 1);
    pair.now_us = link_deadline_us(pair.link[1], pair.now_us);
    g_assert_true(next(&pair, 1, &packet));
    g_assert_cmpint(give(&pair, 0, &packet), ==, MESH_OK);
    submit(&pair, LINK_CHAT, 300, 0, NULL);
    g_assert_true(next(&pair, 0, &packet)); /* it is lost */
    lost_us = pair.now_us;
    pair.now_us = lost_us + SECOND;
    link_answered(pair.link[0], pair.now_us, SECOND); /* what left at the same time may overtake */
    g_assert_false(next(&pair, 0, &packet));
    pair.now_us = lost_us + 3 * SECOND;
    link_answered(pair.link[0], pair.now_us, SECOND);
    g_assert_true(next(&pair, 0, &packet));
    g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
    g_assert_cmpuint(take_all(&pair, 1), ==, 1);
    link_answered(pair.link[0], pair.now_us, SECOND); /* it was asked again since */
    g_assert_false(next(&pair, 0, &packet));
    settle(&pair);
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

/* Of many messages every second packet is lost: all are there in part, and for each the other end
 * has room (else it would refuse the packet). */
static void test_room_for_parts(void) {
    Pair pair = pair_new();
    unsigned submitted = 0, arrived = 0, sent = 0;
    Packet packet;

    submit(&pair, LINK_CHAT, 60000, 0, NULL);
    g_assert_cmpuint(settle(&pair), ==, 1);
    while (submit(&pair, LINK_CHAT, 1500, 0, NULL) == MESH_OK) {
        submitted++;
    }
    g_assert_cmpuint(submitted, >, 2 * MESH_PARTS_MAX);
    for (unsigned i = 0; i < 1000; i++) {
        if (!next(&pair, 0, &packet)) {
            pair.now_us += 100;
        } else if (sent++ % 2 == 0) {
            g_assert_cmpint(give(&pair, 1, &packet), ==, MESH_OK);
            arrived += take_all(&pair, 1);
        }
    }
    g_assert_cmpuint(pair.link[1]->inbox.rows[LINK_CHAT].part_count, >, MESH_PARTS_MAX / 2);
    g_assert_cmpuint(arrived + settle(&pair), ==, submitted);
    pair_free(&pair);
}

/* Our part of a line that we share shrank while packets were small; they are large again, and one
 * may leave even so. */
static void test_small_part(void) {
    Pair pair = pair_new();

    submit(&pair, LINK_CHAT, 60000, 0, NULL);
    g_assert_cmpuint(settle(&pair), ==, 1);
    pair.link[0]->rate.phase = RATE_SHARED;
    pair.link[0]->rate.part = 400;
    pair.link[0]->rate.capacity = 8000;
    submit(&pair, LINK_DOCUMENT, 5000, 0, NULL);
    g_assert_cmpuint(settle(&pair), ==, 1);
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
    g_test_add_func("/mesh/link/cancel_told", test_cancel_told);
    g_test_add_func("/mesh/link/late_makes_room", test_late_makes_room);
    g_test_add_func("/mesh/link/life_told", test_life_told);
    g_test_add_func("/mesh/link/path_changed", test_path_changed);
    g_test_add_func("/mesh/link/answered", test_answered);
    g_test_add_func("/mesh/link/lost_on_new_path", test_lost_on_new_path);
    g_test_add_func("/mesh/link/one_lost_forever", test_one_lost_forever);
    g_test_add_func("/mesh/link/room_for_parts", test_room_for_parts);
    g_test_add_func("/mesh/link/small_part", test_small_part);
    return g_test_run();
}
