/* SPDX-License-Identifier: MPL-2.0 */
/* Meetings in which few have a line to each other: what is said and spoken is passed on. */
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"
#include "tests/sim/scenario.h"

#define FRAME_SIZE 60
#define HOPS       5

/* Each hop 40 ms there and back, and a tenth is lost. */
static const LineSettings hop = {.lane = {.delay_us = 20000, .loss = 0.1}};

static void cut_all(World *world) {
    network_set_lines(world->network, &hop);
    for (unsigned a = 0; a < NETWORK_HOSTS; a++)
        for (unsigned b = 0; b < NETWORK_HOSTS; b++)
            line_cut(network_line(world->network, a, b), true);
}

static void join(World *world, unsigned a, unsigned b) {
    line_cut(network_line(world->network, a, b), false);
    line_cut(network_line(world->network, b, a), false);
}

/* One by one, each through those it has a line to. */
static void gather(World *world, unsigned count) {
    unsigned site = network_site(world->network, NAT_NONE);
    const char *ticket;

    person_create(world_add(world, site), "Loin les uns des autres");
    ticket = person_invite(world->nodes[0], MESH_ROLE_MEMBER, count);
    for (unsigned i = 1; i < count; i++)
        person_join(world_add(world, site), ticket, MINUTE_US);
    check_settle(world, 2 * MINUTE_US);
    world_run(world, MINUTE_US, NULL, NULL); /* the map, with what its lines are like */
}

static void chain(World *world, unsigned count) {
    cut_all(world);
    for (unsigned i = 1; i < count; i++)
        join(world, i - 1, i);
    gather(world, count);
}

/* Two rails: even numbers one, odd ones the other. */
static void ladder(World *world, unsigned count) {
    cut_all(world);
    for (unsigned i = 0; i < count; i++) {
        if (i + 2 < count)
            join(world, i, i + 2);
        if (i % 2 == 0)
            join(world, i, i + 1);
    }
    gather(world, count);
}

static void note_ear(Node *node, const Node *speaker, uint64_t spoken) {
    const Ear *ear = voice_ear(node, speaker->number);

    world_note(node->world,
               "%s hears %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " of %s, %" G_GUINT64_FORMAT
               " late, p50 %.0f p95 %.0f most %.0f ms, longest gap %.0f ms; %" G_GUINT64_FORMAT
               " came twice",
               node->name, ear->frames, spoken, speaker->name, ear->late,
               (double)scenario_percentile(ear->delays_us, 50) / 1e3,
               (double)scenario_percentile(ear->delays_us, 95) / 1e3,
               (double)ear->delay_us_max / 1e3, (double)ear->gap_us_max / 1e3,
               mesh_counters(node->mesh).duplicates);
}

/* The first speaks for so long; the share of its frames that each other hears in time, 1/1000, the
 * least of those from this number on. */
static unsigned speak(World *world, uint64_t for_us, unsigned from) {
    Node *speaker = world->nodes[0];
    uint64_t spoken = voice_spoken(speaker->voice);
    uint64_t least = G_MAXUINT64;

    for (unsigned i = 1; i < world->node_count; i++)
        ear_reset(voice_ear(world->nodes[i], 0));
    voice_speak(speaker, FRAME_SIZE);
    world_run(world, for_us, NULL, NULL);
    voice_end(speaker);
    spoken = voice_spoken(speaker->voice) - spoken;
    world_run(world, 3 * SECOND_US, NULL, NULL);
    for (unsigned i = 1; i < world->node_count; i++) {
        const Ear *ear = voice_ear(world->nodes[i], 0);

        note_ear(world->nodes[i], speaker, spoken);
        if (i >= from)
            least = MIN(least, (ear->frames - ear->late) * 1000 / spoken);
    }
    return (unsigned)least;
}

void feed_chain(World *world) {
    unsigned share;

    chain(world, HOPS + 1);
    share = speak(world, 2 * MINUTE_US, HOPS);
    world_expect(world, share >= 970, "of a voice %u of 1000 frames come over %d hops", share,
                 HOPS);
    person_add(world->nodes[0], 200000);
    scenario_chat(world, MINUTE_US, 5 * SECOND_US);
    check_settle(world, 2 * MINUTE_US);
}

void feed_ladder(World *world) {
    unsigned share;

    ladder(world, 2 * (HOPS + 1));
    share = speak(world, 2 * MINUTE_US, 2 * HOPS + 1); /* the other rail's end has one pusher */
    world_expect(world, share >= 995, "of a voice %u of 1000 frames come over %d hops", share,
                 HOPS);
    scenario_chat(world, MINUTE_US, 5 * SECOND_US);
    check_settle(world, 2 * MINUTE_US);
}

/* Three in a row and a way around the middle. */
void feed_killed(World *world) {
    uint64_t gap_us;

    ladder(world, 6);
    ear_reset(voice_ear(world->nodes[4], 0));
    voice_speak(world->nodes[0], FRAME_SIZE);
    world_run(world, 10 * SECOND_US + dice_below(&world->dice, SECOND_US), NULL, NULL);
    ear_reset(voice_ear(world->nodes[4], 0));
    ear_reset(voice_ear(world->nodes[5], 0));
    world_run(world, SECOND_US, NULL, NULL);
    node_crash(world->nodes[2]);
    world_run(world, MINUTE_US, NULL, NULL);
    note_ear(world->nodes[4], world->nodes[0], 0);
    note_ear(world->nodes[5], world->nodes[0], 0);
    gap_us = voice_ear(world->nodes[4], 0)->gap_us_max;
    world_expect(world, gap_us < 1500000, "a voice pauses for %" G_GUINT64_FORMAT " ms",
                 gap_us / 1000);
    world_expect(world, world_now_us(world) - voice_ear(world->nodes[4], 0)->heard_us < SECOND_US,
                 "a voice stops");
    scenario_end(world, 2 * MINUTE_US);
}

void feed_four(World *world) {
    static const uint8_t levels[] = {20, 40, 30, 35};
    LineSettings line = {.lane = {.delay_us = 10000}};
    uint64_t heard[4];
    Node *listener;

    cut_all(world);
    network_set_lines(world->network, &line);
    for (unsigned a = 0; a < NETWORK_HOSTS; a++)
        for (unsigned b = 0; b < NETWORK_HOSTS; b++)
            line_cut(network_line(world->network, a, b), a > 0 && b > 0);
    gather(world, 6);
    listener = world->nodes[5];
    for (unsigned i = 0; i < 4; i++) {
        voice_level(world->nodes[i + 1], levels[i]);
        voice_speak(world->nodes[i + 1], FRAME_SIZE);
    }
    world_run(world, 5 * SECOND_US, NULL, NULL);
    for (unsigned i = 0; i < 4; i++)
        ear_reset(voice_ear(listener, i + 1));
    world_run(world, 10 * SECOND_US, NULL, NULL);
    for (unsigned i = 0; i < 4; i++) {
        heard[i] = voice_ear(listener, i + 1)->frames;
        note_ear(listener, world->nodes[i + 1], 10000 / VOICE_FRAME_MS);
        world_expect(world, levels[i] == 40 ? heard[i] == 0 : heard[i] > 160,
                     "of a voice of -%u dBov %" G_GUINT64_FORMAT " frames are heard", levels[i],
                     heard[i]);
    }
    /* The faint one is heard when another falls silent, */
    voice_end(world->nodes[1]);
    world_run(world, 3 * SECOND_US, NULL, NULL);
    world_expect(world, voice_ear(listener, 2)->frames > 25,
                 "who is fainter is not heard when there is room");
    /* and who becomes louder is soon. */
    voice_speak(world->nodes[1], FRAME_SIZE);
    voice_level(world->nodes[1], 60);
    world_run(world, 2 * SECOND_US, NULL, NULL);
    ear_reset(voice_ear(listener, 1));
    voice_level(world->nodes[1], 15);
    world_run(world, 2 * SECOND_US, NULL, NULL);
    note_ear(listener, world->nodes[1], 2000 / VOICE_FRAME_MS);
    world_expect(world, voice_ear(listener, 1)->frames > 15, "who becomes louder is not heard");
    scenario_end(world, 2 * MINUTE_US);
}

/* ---- the journal ---- */

#define SPREAD_NODES 16
#define SPREAD_LINES 5 /* of each node, about */

/* What is said comes to each about once, where each has a line to a few others. */
void feed_spread(World *world) {
    LineSettings line = {.lane = {.delay_us = 20000, .jitter_us = 5000, .loss = 0.01}};
    uint64_t came = 0, twice = 0, p95_us = 0;

    cut_all(world);
    network_set_lines(world->network, &line);
    for (unsigned i = 0; i < SPREAD_NODES; i++) {
        join(world, i, (i + 1) % SPREAD_NODES);
        for (unsigned more = 2; more < SPREAD_LINES; more += 2)
            join(world, i, (unsigned)dice_below(&world->dice, SPREAD_NODES));
    }
    gather(world, SPREAD_NODES);
    world_run(world, 5 * MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < SPREAD_NODES; i++) {
        came -= world->nodes[i]->mesh->sync.received;
        twice -= world->nodes[i]->mesh->sync.repeated;
        g_array_set_size(world->nodes[i]->message_us, 0);
    }
    scenario_chat(world, 10 * MINUTE_US, 2 * SECOND_US);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    for (unsigned i = 0; i < SPREAD_NODES; i++) {
        came += world->nodes[i]->mesh->sync.received;
        twice += world->nodes[i]->mesh->sync.repeated;
        p95_us = MAX(p95_us, scenario_percentile(world->nodes[i]->message_us, 95));
    }
    world_note(world, "%.3f copies of an entry, there after %" G_GUINT64_FORMAT " ms, p95",
               (double)came / (double)(came - twice), p95_us / 1000);
    world_expect(world, twice * 6 <= came,
                 "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " entries come twice", twice, came);
    scenario_end(world, 2 * MINUTE_US);
}

/* ---- lies ---- */

#define LIE_US   50000
#define LIAR     3
#define LAST_LIE 0xf0 /* names of what it tells of, from here down */

static void lie(Node *liar, uint32_t slot, uint8_t kind, Bytes body) {
    neighbour_send(liar->mesh, neighbour_at(liar->mesh, slot), LINK_CONTROL, UINT64_MAX, kind,
                   body);
}

/* Of the one who speaks: another stream; the true one, from another number on; its end; that it is
 * far ahead here; and everything of everybody, please. */
static void tell_lies(Node *liar, uint32_t slot, const Stream *heard) {
    static const uint8_t junk[FRAME_HEADER_SIZE + FRAME_TAG_SIZE + 20];
    Mesh *mesh = liar->mesh;
    StreamWord word = {.kind = MESH_STREAM_VOICE, .speaker = liar->world->nodes[0]->key};
    uint8_t body[STREAM_WORD_SIZE], place[14], frame[sizeof junk];
    BytesWriter writer = bytes_writer(place, sizeof place);

    memcpy(word.epoch_key, mesh->meeting.roster.current_key, sizeof word.epoch_key);
    dice_bytes(&liar->world->dice, word.id, sizeof word.id);
    word.name = (uint8_t)(LAST_LIE - dice_below(&liar->world->dice, 64));
    told_write(&word, body);
    lie(liar, slot, MESSAGE_STREAM, BYTES_OF(body));
    memcpy(frame, junk, sizeof frame);
    frame[0] = word.name;
    lie(liar, slot, MESSAGE_FRAME, BYTES_OF(frame));
    if (heard) {
        memcpy(word.id, heard->id, sizeof word.id);
        word.last_number = (uint32_t)dice_below(&liar->world->dice, G_MAXUINT32);
        word.name = LAST_LIE + 1;
        told_write(&word, body);
        lie(liar, slot, MESSAGE_STREAM, BYTES_OF(body));
        frame[0] = word.name;
        lie(liar, slot, MESSAGE_FRAME, BYTES_OF(frame));
        lie(liar, slot, MESSAGE_STREAM_END, BYTES_AT(&word.name, 1));
    }
    bytes_write(&writer, word.speaker.bytes, SHORT_KEY_SIZE);
    bytes_write_u8(&writer, MESH_STREAM_VOICE);
    bytes_write_u32(&writer, heard ? heard->last_number + 1000 : 1000);
    lie(liar, slot, MESSAGE_FEED_AT, BYTES_AT(place, sizeof place - 1));
    for (unsigned i = 0; i < liar->world->node_count; i++) {
        writer = bytes_writer(place, sizeof place);
        bytes_write(&writer, liar->world->nodes[i]->key.bytes, SHORT_KEY_SIZE);
        bytes_write_u8(&writer, MESH_STREAM_VOICE);
        bytes_write_u32(&writer, heard ? heard->last_number - 1000 : 0);
        bytes_write_u8(&writer, MESH_ASK_S_MAX);
        lie(liar, slot, MESSAGE_FEED_ASK, BYTES_OF(place));
    }
}

static void meddle(Node *liar) {
    static uint64_t last_us;
    uint64_t now_us = world_now_us(liar->world);
    const Stream *heard = stream_of(liar->mesh, &liar->world->nodes[0]->key, MESH_STREAM_VOICE);

    if (now_us >= last_us && now_us < last_us + LIE_US)
        return;
    last_us = now_us;
    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *neighbour = neighbour_at(liar->mesh, slot);

        if (neighbour && neighbour_is_greeted(liar->mesh, neighbour))
            tell_lies(liar, slot, heard);
    }
}

void feed_liar(World *world) {
    LineSettings line = {.lane = {.delay_us = 20000, .loss = 0.02, .rate_bps = 2e6}};
    unsigned before = (unsigned)(world->options.seed % 2), share;
    uint64_t sent;

    ladder(world, 8);
    network_set_lines(world->network, &line);
    if (!before) {
        share = speak(world, 20 * SECOND_US, 1); /* it knows the stream before */
        world_expect(world, share >= 990, "%u of 1000 frames come without any lie", share);
    }
    world->noisy = true;
    world->nodes[LIAR]->meddle = meddle;
    for (unsigned i = 1; i < world->node_count; i++)
        voice_ear(world->nodes[i], 0)->opened = 0;
    sent = world->nodes[1]->sent_bytes;
    share = speak(world, MINUTE_US, 1);
    sent = world->nodes[1]->sent_bytes - sent;
    world_note(world, "%u of 1000 frames come beside lies; its neighbour sent %" G_GUINT64_FORMAT,
               share, sent);
    for (unsigned i = 1; i < world->node_count; i++)
        world_expect(world, voice_ear(world->nodes[i], 0)->opened <= 2, "%s opens %u streams",
                     world->nodes[i]->name, voice_ear(world->nodes[i], 0)->opened);
    world_expect(world, share >= 990, "beside lies %u of 1000 frames come", share);
    world->nodes[LIAR]->meddle = NULL;
    scenario_end(world, 4 * MINUTE_US);
}
