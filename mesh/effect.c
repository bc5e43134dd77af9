/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/effect.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

#define ARENA_LEAST 2048
#define ARENA_KEPT  16384 /* what a burst took beyond is given back at once, */
#define CALM_TURNS  256   /* and what is there when so many steps in a row need no quarter of it */
#define SLOTS_KEPT  64
#define ALIGNMENT   16

static void free_arena(Effects *effects) {
    if (effects->arena) {
        sodium_memzero(effects->arena, effects->arena_size);
    }
    free(effects->arena);
    effects->arena = NULL;
    effects->arena_size = 0;
    effects->calm = 0;
}

void effects_finish(Effects *effects) {
    free_arena(effects);
    free(effects->slots);
    *effects = (Effects){0};
}

size_t effects_room(const Effects *effects) {
    size_t waiting = effects->count - effects->head;

    return waiting < MESH_EFFECTS_MAX ? MESH_EFFECTS_MAX - waiting : 0;
}

static bool reserve(Effects *effects, size_t length) {
    size_t size = effects->arena_size ? effects->arena_size : ARENA_LEAST;
    uint8_t *arena;

    while (size - effects->arena_used < length + ALIGNMENT) {
        size *= 2;
    }
    if (size == effects->arena_size) {
        return true;
    }
    arena = malloc(size);
    if (!arena) {
        return false;
    }
    if (effects->arena_used > 0) {
        memcpy(arena, effects->arena, effects->arena_used);
        sodium_memzero(effects->arena, effects->arena_size);
    }
    free(effects->arena);
    effects->arena = arena;
    effects->arena_size = size;
    return true;
}

static size_t keep(Effects *effects, Bytes bytes) {
    size_t at = (effects->arena_used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (bytes.length > 0) {
        memcpy(effects->arena + at, bytes.data, bytes.length);
    }
    effects->arena_used = at + bytes.length;
    return at;
}

bool effects_add(Effects *effects, const MeshEffect *effect, Bytes first, Bytes second) {
    bool datagram = effect->kind == MESH_EFFECT_SEND || effect->kind == MESH_EFFECT_BEACON;
    EffectSlot slot = {
        .effect = *effect, .first_length = first.length, .second_length = second.length};

    if ((datagram && effects_room(effects) == 0) ||
        !memory_grow((void **)&effects->slots, &effects->capacity, effects->count,
                     sizeof *effects->slots) ||
        !reserve(effects, first.length + second.length + ALIGNMENT)) {
        return false;
    }
    slot.first = keep(effects, first);
    slot.second = keep(effects, second);
    effects->slots[effects->count++] = slot;
    return true;
}

uint8_t *effects_last(Effects *effects) {
    return effects->arena + effects->slots[effects->count - 1].first;
}

static void point(MeshEffect *effect, Bytes first, Bytes second) {
    switch (effect->kind) {
    case MESH_EFFECT_SEND:
    case MESH_EFFECT_BEACON:
        effect->send.bytes = first.data;
        effect->send.length = first.length;
        break;
    case MESH_EFFECT_PERSIST:
    case MESH_EFFECT_FORGET:
    case MESH_EFFECT_FETCH:
        effect->store.item.value = first.data;
        effect->store.item.value_length = first.length;
        effect->store.item.key = second.data;
        effect->store.item.key_length = second.length;
        break;
    case MESH_EFFECT_ICE_START:
    case MESH_EFFECT_ICE_REMOTE:
    case MESH_EFFECT_ICE_STOP:
        effect->ice.offer = first;
        effect->ice.servers = (const MeshPath *)(const void *)second.data;
        break;
    case MESH_EFFECT_FRAME:
        effect->stream.frame.payload = first;
        break;
    case MESH_EFFECT_DONE:
        effect->done.text = first.length ? (const char *)first.data : NULL;
        break;
    case MESH_EFFECT_STREAM_OPEN:
    case MESH_EFFECT_STREAM_CLOSE:
    case MESH_EFFECT_KEYFRAME:
    case MESH_EFFECT_NOTIFY:
        break;
    }
}

/* All were pulled. */
static void empty(Effects *effects) {
    bool calm = effects->arena_size > ARENA_LEAST && effects->arena_used < effects->arena_size / 4;

    effects->calm = calm ? effects->calm + 1 : 0;
    if (effects->arena_size > ARENA_KEPT || effects->capacity > SLOTS_KEPT) {
        effects_finish(effects);
    } else if (effects->calm >= CALM_TURNS) {
        free_arena(effects);
    }
    effects->head = 0;
    effects->count = 0;
    effects->arena_used = 0;
}

bool effects_next(Effects *effects, MeshEffect *ret_effect) {
    EffectSlot *slot;

    if (effects->head == effects->count) {
        empty(effects);
        return false;
    }
    slot = &effects->slots[effects->head++];
    *ret_effect = slot->effect;
    point(ret_effect, BYTES_AT(effects->arena + slot->first, slot->first_length),
          BYTES_AT(effects->arena + slot->second, slot->second_length));
    return true;
}
