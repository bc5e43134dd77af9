/* SPDX-License-Identifier: MPL-2.0 */
#include <math.h>
#include <string.h>

#include "mesh/link/packet.h"
#include "tests/unit/mesh_link_rival.h"

/* ---- the line ---- */

static uint32_t chance(GRand *random) {
    return (uint32_t)g_rand_int_range(random, 0, 1000000);
}

static int by_arrival(const void *a, const void *b, void *unused) {
    const Parcel *first = a;
    const Parcel *second = b;

    return first->at_us < second->at_us ? -1 : first->at_us > second->at_us;
}

static void line_fly(Line *line, const Parcel *parcel, uint64_t at_us) {
    Parcel *copy = g_memdup2(parcel, sizeof *parcel);
    GList *at = line->flying.tail;

    copy->at_us = at_us;
    while (at && by_arrival(at->data, copy, NULL) > 0) {
        at = at->prev;
    }
    if (at) {
        g_queue_insert_after(&line->flying, at, copy);
    } else {
        g_queue_push_head(&line->flying, copy);
    }
}

static uint64_t fade_draw_us(Line *line) {
    double mean_us = (double)(line->fades ? line->fade_us : line->fade_gap_us);

    return 1 + (uint64_t)(-mean_us * log(1 - g_rand_double(line->weather)));
}

/* Whether nothing comes through at this time, which never lies before an earlier one asked for. */
static bool line_is_down(Line *line, uint64_t at_us) {
    if (line->fade_us > 0) {
        if (line->fade_flip_us == 0) {
            line->fade_flip_us = at_us + fade_draw_us(line);
        }
        while (line->fade_flip_us <= at_us) {
            uint64_t draw_us;

            line->fades = !line->fades;
            draw_us = fade_draw_us(line);
            line->faded_us += line->fades ? draw_us : 0;
            line->fade_flip_us += draw_us;
        }
    }
    return line->fades || (at_us >= line->down_from_us && at_us < line->down_until_us) ||
           (line->burst_every_us && at_us % line->burst_every_us < line->burst_us);
}

static void line_send(Line *line, GRand *random, uint64_t now_us, const Parcel *parcel) {
    uint64_t size = parcel->size;
    uint64_t wait_us = line->busy_us > now_us ? line->busy_us - now_us : 0;
    uint64_t left_us = now_us + wait_us;
    uint64_t at_us;

    if (!parcel->rival) {
        line->bytes += size;
        line->packets++;
    }
    if (line->rate_bps > 0) {
        if (wait_us * line->rate_bps / 8 / SECOND + size > line->queue_bytes) {
            line->dropped += !parcel->rival;
            return;
        }
        if (!parcel->rival) {
            g_array_append_val(line->waits, wait_us);
        }
        left_us = line->busy_us = now_us + wait_us + size * 8 * SECOND / line->rate_bps;
    }
    at_us = left_us + line->delay_us;
    if (line_is_down(line, left_us) || chance(random) < line->loss_ppm ||
        (line->mtu && size > line->mtu)) {
        line->lost += !parcel->rival;
        return;
    }
    if (line->jitter_us) {
        at_us += (uint64_t)g_rand_int_range(random, 0, (int)line->jitter_us);
    }
    if (chance(random) < line->reorder_ppm) {
        at_us += 8000;
    }
    line_fly(line, parcel, at_us);
    if (chance(random) < line->duplicate_ppm) {
        line_fly(line, parcel, at_us + 3000);
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;

    return first < second ? -1 : first > second;
}

uint64_t world_percentile(GArray *values, unsigned percent) {
    if (values->len == 0) {
        return 0;
    }
    g_array_sort(values, by_size);
    return g_array_index(values, uint64_t, (values->len - 1) * percent / 100);
}

/* ---- the world ---- */

World *world_new(uint32_t seed, uint64_t rate_bps, uint64_t delay_us, uint32_t loss_ppm,
                 uint64_t queue_bytes) {
    World *world = g_new0(World, 1);

    world->now_us = WORLD_START_US;
    world->timer_us = 1;
    world->random = g_rand_new_with_seed(seed);
    for (unsigned i = 0; i < 2; i++) {
        world->line[i] = (Line){.rate_bps = rate_bps,
                                .delay_us = delay_us,
                                .loss_ppm = loss_ppm,
                                .queue_bytes = queue_bytes};
        g_queue_init(&world->line[i].flying);
        world->line[i].waits = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        world->line[i].weather = g_rand_new_with_seed(~seed + i);
        world->node[i].link = link_create(OVERHEAD);
        world->node[i].counter = 7;
        for (unsigned s = 0; s < SOURCES; s++) {
            world->node[i].source[s].delays = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        }
    }
    return world;
}

void world_free(World *world) {
    for (unsigned i = 0; i < 2; i++) {
        g_queue_clear_full(&world->line[i].flying, g_free);
        g_array_free(world->line[i].waits, TRUE);
        g_rand_free(world->line[i].weather);
        link_destroy(world->node[i].link);
        for (unsigned s = 0; s < SOURCES; s++) {
            g_array_free(world->node[i].source[s].delays, TRUE);
        }
    }
    g_rand_free(world->random);
    g_free(world->rival);
    g_free(world);
}

Source *world_add(World *world, unsigned node, LinkPriority priority, size_t size,
                  uint64_t every_us, uint64_t life_us, uint32_t count) {
    for (unsigned i = 0; i < SOURCES; i++) {
        Source *source = &world->node[node].source[i];

        if (source->count == 0) {
            source->priority = priority;
            source->size = size;
            source->every_us = every_us;
            source->life_us = life_us;
            source->count = count;
            source->next_us = world->now_us;
            g_assert_cmpuint(count, <=, NUMBERS);
            return source;
        }
    }
    g_assert_not_reached();
}

static void message_make(uint8_t *bytes, size_t size, uint8_t kind, uint32_t number,
                         uint64_t now_us) {
    memset(bytes, 0, HEAD_BYTES);
    bytes[0] = kind;
    memcpy(bytes + 4, &number, 4);
    memcpy(bytes + 8, &now_us, 8);
    for (size_t i = HEAD_BYTES; i < size; i++) {
        bytes[i] = (uint8_t)(i * 31 + number);
    }
}

static void message_check(World *world, Node *from, Bytes message) {
    Source *source;
    uint32_t number;
    uint64_t sent_us;
    uint64_t delay_us;
    bool in_time;

    g_assert_cmpuint(message.length, >=, HEAD_BYTES);
    g_assert_cmpuint(message.data[0], <, SOURCES);
    source = &from->source[message.data[0]];
    memcpy(&number, message.data + 4, 4);
    memcpy(&sent_us, message.data + 8, 8);
    g_assert_cmpuint(number, <, source->submitted);
    g_assert_cmpuint(source->seen[number], ==, SEEN_NOT);
    if (!source->sizes_vary && !source->heard) {
        g_assert_cmpuint(message.length, ==, source->size);
    }
    for (size_t i = HEAD_BYTES; i < message.length; i++) {
        g_assert_cmpuint(message.data[i], ==, (uint8_t)(i * 31 + number));
    }
    delay_us = world->now_us - sent_us;
    g_array_append_val(source->delays, delay_us);
    source->arrived++;
    in_time =
        source->life_us == 0 || delay_us <= (source->late_us ? source->late_us : source->life_us);
    source->seen[number] = in_time ? SEEN_IN_TIME : SEEN_LATE;
    source->in_time += in_time;
    source->bytes += message.length;
    source->arrived_us = world->now_us;
    if (source->heard) {
        source->heard(source->user, number, world->now_us);
    }
}

static bool submit_one(World *world, Node *node, unsigned which) {
    Source *source = &node->source[which];
    static uint8_t bytes[MESH_MESSAGE_MAX];
    size_t size = source->size;
    uint64_t deadline_us = source->life_us ? world->now_us + source->life_us : UINT64_MAX;

    if (source->sizes_vary) {
        size = (size_t)g_rand_int_range(world->random, HEAD_BYTES, (int)source->size);
    }
    message_make(bytes, size, (uint8_t)which, source->submitted, world->now_us);
    if (link_submit(node->link, source->priority, world->now_us, deadline_us, (Bytes){bytes, size},
                    NULL)) {
        return false;
    }
    source->submitted++;
    return true;
}

bool world_submit(World *world, unsigned node, Source *source) {
    return submit_one(world, &world->node[node], (unsigned)(source - world->node[node].source));
}

static void submit(World *world, Node *node) {
    for (unsigned i = 0; i < SOURCES; i++) {
        Source *source = &node->source[i];

        while (source->submitted < source->count && world->now_us >= source->next_us) {
            if (source->every_us == 0 && link_room(node->link) < MIN(source->size, 4096)) {
                break;
            }
            if (!submit_one(world, node, i)) {
                break;
            }
            source->next_us += source->every_us;
        }
    }
}

/* What of a packet is voice, its part of the packet's headers included. */
static uint64_t voice_bytes(const Parcel *parcel) {
    BytesReader reader = bytes_reader(parcel->bytes, parcel->length);
    size_t bytes = 0;
    PacketFrame frame;

    while (bytes_left(&reader) > 0) {
        size_t before = bytes_left(&reader);

        g_assert_true(packet_read(&reader, &frame));
        if (frame.kind == PACKET_FRAME_CHUNK && frame.chunk.priority == LINK_VOICE) {
            bytes += before - bytes_left(&reader);
        }
    }
    return bytes + bytes * OVERHEAD / parcel->length;
}

static void flush_rival(World *world) {
    Parcel parcel = {.rival = true, .size = RIVAL_SEGMENT_SIZE};

    while (world->rival && rival_next(world->rival, world->now_us, &parcel.counter)) {
        line_send(&world->line[0], world->random, world->now_us, &parcel);
    }
}

static void arrive_rival(World *world, unsigned from, const Parcel *parcel) {
    Parcel answer = {.rival = true, .size = RIVAL_ACK_SIZE, .counter = parcel->counter};

    if (from == 0) {
        rival_arrive(world->rival, parcel->counter);
        line_send(&world->line[1], world->random, world->now_us, &answer);
    } else {
        rival_acked(world->rival, world->now_us, parcel->counter);
    }
}

void world_add_rival(World *world) {
    world->rival = g_new0(Rival, 1);
}

uint64_t world_rival_bytes(const World *world) {
    return world->rival->arrived * RIVAL_SEGMENT_SIZE;
}

static void flush(World *world, unsigned i) {
    Node *node = &world->node[i];
    Parcel parcel = {.rival = false};
    LinkPriority priority;

    for (;;) {
        submit(world, node);
        parcel.length =
            link_next(node->link, world->now_us, node->counter, parcel.bytes, CAPACITY, &priority);
        if (parcel.length == 0) {
            return;
        }
        parcel.size = parcel.length + OVERHEAD;
        world->line[i].voice_bytes += voice_bytes(&parcel);
        parcel.counter = node->counter++;
        node->counter += chance(world->random) < 20000; /* a probe took one */
        line_send(&world->line[i], world->random, world->now_us, &parcel);
    }
}

static void arrive(World *world, unsigned from, const Parcel *parcel) {
    Node *node = &world->node[!from];
    MeshError error = link_receive(node->link, world->now_us, parcel->counter,
                                   (Bytes){parcel->bytes, parcel->length});
    Bytes message;

    g_assert_cmpint(error, !=, MESH_ERROR_MALFORMED);
    g_assert_cmpint(error, !=, MESH_ERROR_FULL); /* what an honest link sends finds room */
    node->rejected += error != MESH_OK;
    while (link_take(node->link, &message)) {
        message_check(world, &world->node[from], message);
    }
}

static uint64_t next_event_us(World *world) {
    uint64_t next_us = world->rival ? rival_deadline_us(world->rival) : UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        const Parcel *parcel = g_queue_peek_head(&world->line[i].flying);
        uint64_t deadline_us = link_deadline_us(world->node[i].link, world->now_us);

        if (deadline_us != UINT64_MAX) {
            g_assert_cmpuint(deadline_us, >, world->now_us); /* or it would never wait */
            deadline_us = (deadline_us + world->timer_us - 1) / world->timer_us * world->timer_us;
            next_us = MIN(next_us, deadline_us);
        }
        if (parcel) {
            next_us = MIN(next_us, parcel->at_us);
        }
        for (unsigned s = 0; s < SOURCES; s++) {
            const Source *source = &world->node[i].source[s];

            if (source->submitted < source->count && source->next_us > world->now_us) {
                next_us = MIN(next_us, source->next_us);
            }
        }
    }
    return next_us;
}

void world_run(World *world, uint64_t until_us) {
    for (;;) {
        uint64_t next_us;

        for (unsigned i = 0; i < 2; i++) {
            const Parcel *parcel;

            while ((parcel = g_queue_peek_head(&world->line[i].flying)) &&
                   parcel->at_us <= world->now_us) {
                g_queue_pop_head(&world->line[i].flying);
                if (parcel->rival) {
                    arrive_rival(world, i, parcel);
                } else {
                    arrive(world, i, parcel);
                }
                g_free((void *)parcel);
            }
        }
        flush(world, 0);
        flush(world, 1);
        flush_rival(world);
        next_us = next_event_us(world);
        if (next_us > until_us) {
            world->now_us = until_us == UINT64_MAX ? world->now_us : until_us;
            return;
        }
        world->now_us = next_us;
        world->steps++;
    }
}

void world_run_for(World *world, uint64_t us) {
    world_run(world, world->now_us + us);
}

double world_seconds(uint64_t us) {
    return (double)us / 1e6;
}

void world_check_done(const World *world) {
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned s = 0; s < SOURCES; s++) {
            const Source *source = &world->node[i].source[s];

            g_assert_cmpuint(source->submitted, ==, source->count);
            if (source->life_us == 0) {
                g_assert_cmpuint(source->arrived, ==, source->count);
            }
        }
        g_assert_false(link_expects(world->node[i].link));
        g_assert_cmpuint(link_state(world->node[i].link, world->now_us).waiting, ==, 0);
        g_assert_cmpuint(link_deadline_us(world->node[i].link, world->now_us), ==, UINT64_MAX);
    }
}
