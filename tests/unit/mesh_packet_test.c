/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/plan.h"

#include <glib.h>
#include <string.h>

#include "mesh/domain.h"

static uint8_t content[MESH_MESSAGE_MAX];

static PacketChunk chunk_of(PacketKind kind, uint16_t size, uint16_t grain, size_t length) {
    return (PacketChunk){.kind = kind,
                         .priority = LINK_DOCUMENT,
                         .id = 0x1234,
                         .grain = grain,
                         .size = size,
                         .life_us = 20 * PACKET_LIFE_US - 1,
                         .bytes = {content, length}};
}

static void expect_chunk(BytesReader *reader, const PacketChunk *wanted) {
    PacketFrame frame;

    g_assert_true(packet_read(reader, &frame));
    g_assert_cmpint(frame.kind, ==, PACKET_FRAME_CHUNK);
    g_assert_cmpint(frame.chunk.kind, ==, wanted->kind);
    g_assert_cmpint(frame.chunk.priority, ==, wanted->priority);
    g_assert_cmpuint(frame.chunk.id, ==, wanted->id);
    g_assert_cmpuint(frame.chunk.grain, ==, wanted->grain);
    g_assert_cmpuint(frame.chunk.size, ==, wanted->size);
    g_assert_cmpuint(frame.chunk.bytes.length, ==, wanted->bytes.length);
}

/* Whatever a chunk is, it is read as it was written, in the middle of a packet and at its end, and
 * takes what was said. */
static void test_chunks(void) {
    static const struct {
        PacketKind kind;
        uint16_t size, grain;
        size_t length, middle, last; /* what it takes, and takes as the last */
    } CASES[] = {
        {PACKET_WHOLE, 1, 0, 1, 4, 3},         {PACKET_WHOLE, 300, 0, 300, 5, 3},
        {PACKET_PART, 4100, 0, 1416, 6, 4},    /* told by its first byte */
        {PACKET_PART, 4101, 177, 1416, 7, 5},  /* the same, */
        {PACKET_PART, 4101, 354, 1269, 5, 5},  /* to its end, */
        {PACKET_PART, 4103, 512, 7, 5, 5},     /* however little of it is left */
        {PACKET_PART, 4102, 177, 1416, 9, 7},  /* not told, */
        {PACKET_PART, 4104, 354, 1272, 7, 7},  /* but to its end */
        {PACKET_PART, 2000, 10, 8, 7, 6},      /* of anything */
        {PACKET_PERISHABLE, 4101, 1, 8, 9, 8}, /* which no block is */
        {PACKET_PERISHABLE, 100, 12, 4, 8, 8}, /* to its end */
        {PACKET_FORGET, 0, 0, 0, 3, 3},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        PacketChunk chunk = chunk_of(CASES[i].kind, CASES[i].size, CASES[i].grain, CASES[i].length);
        PacketChunk word = chunk_of(PACKET_WHOLE, 3, 0, 3);

        for (int last = 0; last <= 1; last++) {
            uint8_t bytes[2 * sizeof content];
            BytesWriter writer = bytes_writer(bytes, sizeof bytes);
            size_t takes = last ? CASES[i].last : CASES[i].middle;
            BytesReader reader;

            packet_write_chunk(&writer, &chunk, last);
            g_assert_cmpuint(bytes_written(&writer), ==, takes + CASES[i].length);
            g_assert_cmpuint(
                packet_chunk_overhead(chunk.kind, chunk.size, chunk.grain, CASES[i].length, last),
                ==, takes);
            if (!last) {
                packet_write_chunk(&writer, &word, true);
            }
            reader = bytes_reader(bytes, bytes_written(&writer));
            expect_chunk(&reader, &chunk);
            if (!last) {
                expect_chunk(&reader, &word);
            }
            g_assert_cmpuint(bytes_left(&reader), ==, 0);
        }
    }
}

static bool can_be(const uint8_t *bytes, size_t length) {
    BytesReader reader = bytes_reader(bytes, length);
    PacketFrame frame;

    return packet_read(&reader, &frame);
}

/* What no chunk can be: of a priority or a size there is not, beyond the message, cut in a grain.
 */
static void test_false_chunks(void) {
    static const uint8_t NO_SIZE[] = {0x45, 1, 0, 1, 'a'};
    static const uint8_t NO_PRIORITY[] = {0x4e, 1, 0, 0, 'a'};
    static const uint8_t BEYOND[] = {0x4d, 1, 0, 0x42, 0x01, 'a'};    /* grain 513 of 4100 B */
    static const uint8_t IN_GRAIN[] = {0x4d, 1, 0, 0, 'a', 'b', 'c'}; /* ends in the first */
    static const uint8_t AT_END[] = {0x55, 1, 0, 0x42, 0x00, 1, 2, 3, 4, 5}; /* 512 of 4101 B */
    static const uint8_t NOTHING[] = {0x4d, 1, 0, 0};
    static const uint8_t TOO_LONG[] = {0x6d, 1, 0, 0x42, 0x00, 5, 1, 2, 3, 4, 5}; /* 5 of 4 left */

    g_assert_false(can_be(NO_SIZE, sizeof NO_SIZE));
    g_assert_false(can_be(NO_PRIORITY, sizeof NO_PRIORITY));
    g_assert_false(can_be(BEYOND, sizeof BEYOND));
    g_assert_false(can_be(IN_GRAIN, sizeof IN_GRAIN));
    g_assert_true(can_be(AT_END, sizeof AT_END));
    g_assert_false(can_be(NOTHING, sizeof NOTHING));
    g_assert_false(can_be(TOO_LONG, sizeof TOO_LONG));
}

/* Wherever a block was cut, and however much else is in the packet, as much of the rest goes into
 * it as there is room for: also where all of the packet would hold the rest and its length is left
 * out. */
static void test_parts(void) {
    for (uint16_t grain = 1; grain < 512; grain++) {
        for (size_t before = 0; before < 24; before++) {
            PlanLimits limits = {.other = 1151, .riding = 1151, .fragment = 64};
            QueueRun sent = {.grains = grain};
            Queue queue;
            Plan plan;

            queue_init(&queue);
            g_assert_cmpint(queue_submit(&queue, LINK_DOCUMENT, UINT64_MAX, BYTES_AT(content, 4103),
                                         BYTES_NONE, NULL),
                            ==, MESH_OK);
            queue_sent(&queue, queue.first[LINK_DOCUMENT], &sent);
            plan_fill(&plan, &queue, before, limits, true);
            g_assert_cmpuint(plan.count, ==, 1);
            g_assert_cmpuint(plan.used, <=, limits.other);
            if (plan.parts[0].run.grain + plan.parts[0].run.grains < 513) {
                g_assert_cmpuint(plan.used + 2 * PACKET_GRAIN_SIZE, >, limits.other);
            }
            queue_finish(&queue);
        }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)i;
    }
    g_test_add_func("/mesh/packet/chunks", test_chunks);
    g_test_add_func("/mesh/packet/false-chunks", test_false_chunks);
    g_test_add_func("/mesh/packet/parts", test_parts);
    return g_test_run();
}
