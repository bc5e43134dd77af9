/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/voice.h"

#include <string.h>

#include "tests/sim/node.h"
#include "tests/sim/person.h"

#define LATE_US      500000
#define FIRST_NUMBER 130900 /* of a node long awake: its low 16 bits wrap soon */
#define LEVEL        20
#define HEADER_SIZE  16 /* number u32, speaker u32, moment u64, as the machine has them */

struct Voice {
    size_t frame_size; /* 0: silent */
    uint8_t level;
    unsigned turn; /* counts voice_speak: an older turn's next frame is not spoken */
    uint32_t number;
    uint64_t spoken;
};

Voice *voice_create(void) {
    Voice *voice = g_new0(Voice, 1);

    voice->level = LEVEL;
    return voice;
}

void voice_destroy(Voice *voice) {
    g_free(voice);
}

static void say_frame(Node *node, gpointer context) {
    Voice *voice = node->voice;
    uint8_t payload[MESH_DATAGRAM_MAX];
    uint32_t head[2] = {voice->number, node->number};
    uint64_t now_us = world_now_us(node->world);
    MeshEvent event = {.kind = MESH_EVENT_FRAME};

    if (voice->frame_size == 0 || GPOINTER_TO_UINT(context) != voice->turn)
        return;
    memset(payload, (uint8_t)voice->number, voice->frame_size);
    memcpy(payload, head, sizeof head);
    memcpy(payload + sizeof head, &now_us, sizeof now_us);
    event.frame = (MeshFrame){.kind = MESH_STREAM_VOICE,
                              .number = voice->number,
                              .media_time_ms = voice->number * VOICE_FRAME_MS,
                              .duration_ms = VOICE_FRAME_MS,
                              .level = voice->level,
                              .payload = {payload, voice->frame_size}};
    voice->number++;
    voice->spoken++;
    node_step(node, &event);
    node_later(node, VOICE_FRAME_MS * 1000, say_frame, context, NULL);
}

void voice_speak(Node *node, size_t frame_size) {
    g_assert_cmpuint(frame_size, >=, HEADER_SIZE);
    g_assert_cmpuint(frame_size, <=, MESH_DATAGRAM_MAX);
    if (!node->mesh)
        return;
    node->voice->frame_size = frame_size;
    node->voice->number = FIRST_NUMBER;
    person_ask(node,
               (MeshIntent){.kind = MESH_INTENT_STREAM_START, .stream_kind = MESH_STREAM_VOICE});
    node_later(node, 0, say_frame, GUINT_TO_POINTER(++node->voice->turn), NULL);
}

void voice_end(Node *node) {
    if (!node->mesh || node->voice->frame_size == 0)
        return;
    node->voice->frame_size = 0;
    person_ask(node,
               (MeshIntent){.kind = MESH_INTENT_STREAM_STOP, .stream_kind = MESH_STREAM_VOICE});
}

void voice_level(Node *node, uint8_t level) {
    node->voice->level = level;
}

bool voice_is_speaking(const Voice *voice) {
    return voice->frame_size > 0;
}

uint64_t voice_spoken(const Voice *voice) {
    return voice->spoken;
}

void voice_stop(Node *node) {
    node->voice->frame_size = 0;
    for (unsigned i = 0; i < NETWORK_HOSTS; i++)
        if (node->ears[i])
            g_clear_pointer(&node->ears[i]->streams, g_hash_table_unref);
}

/* ---- hearing ---- */

void ear_reset(Ear *ear) {
    ear->frames = ear->late = ear->delay_us_sum = ear->delay_us_max = 0;
    ear->heard_us = ear->gap_us_max = 0;
    g_clear_pointer(&ear->delays_us, g_array_unref);
}

void ear_destroy(Ear *ear) {
    if (!ear)
        return;
    g_clear_pointer(&ear->streams, g_hash_table_unref);
    g_clear_pointer(&ear->delays_us, g_array_unref);
    g_free(ear);
}

Ear *voice_ear(Node *node, unsigned speaker) {
    if (!node->ears[speaker])
        node->ears[speaker] = g_new0(Ear, 1);
    return node->ears[speaker];
}

static void hear_frame(Node *node, Ear *ear, unsigned speaker, const MeshEffect *effect) {
    const MeshFrame *frame = &effect->stream.frame;
    GHashTable *numbers =
        g_hash_table_lookup(ear->streams, GUINT_TO_POINTER(effect->stream.stream));
    World *world = node->world;
    uint32_t head[2] = {0};
    uint64_t spoken_us = 0, delay_us;

    if (!world_expect(world, frame->payload.length >= HEADER_SIZE, "%s hears a frame of %zu bytes",
                      node->name, frame->payload.length))
        return;
    memcpy(head, frame->payload.data, sizeof head);
    memcpy(&spoken_us, frame->payload.data + sizeof head, sizeof spoken_us);
    world_expect(world, head[0] == frame->number && head[1] == speaker,
                 "%s hears frame %u of %u as frame %u of %u", node->name, head[0], head[1],
                 frame->number, speaker);
    for (size_t i = HEADER_SIZE; i < frame->payload.length; i++)
        world_expect(world, frame->payload.data[i] == (uint8_t)frame->number,
                     "%s hears a frame with other bytes", node->name);
    world_expect(world, g_hash_table_add(numbers, GUINT_TO_POINTER(frame->number)),
                 "%s hears frame %u twice", node->name, frame->number);
    delay_us = world_now_us(world) - spoken_us;
    if (ear->heard_us > 0)
        ear->gap_us_max = MAX(ear->gap_us_max, world_now_us(world) - ear->heard_us);
    ear->heard_us = world_now_us(world);
    ear->frames++;
    ear->late += delay_us > LATE_US;
    ear->delay_us_sum += delay_us;
    ear->delay_us_max = MAX(ear->delay_us_max, delay_us);
    if (!ear->delays_us)
        ear->delays_us = g_array_new(FALSE, FALSE, sizeof delay_us);
    g_array_append_val(ear->delays_us, delay_us);
    if (ear->listen)
        ear->listen(ear->listener, frame);
}

void voice_hear(Node *node, const MeshEffect *effect) {
    World *world = node->world;
    const Node *speaker = world_find(world, &effect->stream.speaker);
    gpointer stream = GUINT_TO_POINTER(effect->stream.stream);
    Ear *ear;

    if (!world_expect(world, speaker && speaker != node, "%s hears nobody, or itself", node->name))
        return;
    ear = voice_ear(node, speaker->number);
    if (!ear->streams)
        ear->streams = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
    if (effect->kind == MESH_EFFECT_STREAM_OPEN) {
        ear->opened++;
        world_expect(world, g_hash_table_insert(ear->streams, stream, g_hash_table_new(NULL, NULL)),
                     "%s hears a stream open twice", node->name);
    } else if (!world_expect(world, g_hash_table_contains(ear->streams, stream),
                             "%s hears a stream that is not open", node->name)) {
        return;
    } else if (effect->kind == MESH_EFFECT_FRAME) {
        hear_frame(node, ear, speaker->number, effect);
    } else {
        g_hash_table_remove(ear->streams, stream);
    }
}
