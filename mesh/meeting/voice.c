/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/meeting/voice.h"

#include <stdlib.h>
#include <string.h>

#include "mesh/memory.h"

/* ---- frames: duration u8 (0: a pause, its ms follow, then a frame), length, bytes ---- */

/* In its one encoding. */
static uint64_t read_number(BytesReader *reader) {
    size_t before = bytes_left(reader);
    uint64_t value = bytes_read_varint(reader);

    if (before - bytes_left(reader) != bytes_varint_size(value)) {
        reader->failed = true;
    }
    return value;
}

bool mesh_voice_frame(MeshVoicePart *part, MeshVoiceFrame *ret_frame) {
    BytesReader reader = bytes_reader(part->frames.data, part->frames.length);
    uint8_t duration_ms = bytes_read_u8(&reader);
    uint64_t pause_ms = 0;
    uint64_t length;

    if (!reader.failed && duration_ms == 0) {
        pause_ms = read_number(&reader);
        duration_ms = bytes_read_u8(&reader);
        reader.failed = reader.failed || pause_ms == 0 || pause_ms > MESH_VOICE_MS_MAX;
    }
    length = read_number(&reader);
    if (reader.failed || duration_ms == 0 || duration_ms > MESH_VOICE_FRAME_MS_MAX || length == 0 ||
        length > bytes_left(&reader)) {
        return false;
    }
    *ret_frame = (MeshVoiceFrame){.at_ms = part->from_ms + (uint32_t)pause_ms,
                                  .duration_ms = duration_ms,
                                  .payload.length = (size_t)length};
    ret_frame->payload.data = bytes_read(&reader, (size_t)length);
    part->from_ms = ret_frame->at_ms + duration_ms;
    part->frames = bytes_rest(&reader);
    return true;
}

bool mesh_voice_append(MeshVoicePart *part, uint8_t bytes[MESH_VOICE_FRAMES_MAX], uint32_t end_ms,
                       const MeshVoiceFrame *frame) {
    size_t length = part->frames.length;
    BytesWriter writer = bytes_writer(bytes + length, MESH_VOICE_FRAMES_MAX - length);

    if (length == 0) {
        part->from_ms = frame->at_ms;
    } else if (frame->at_ms != end_ms) {
        bytes_write_u8(&writer, 0);
        bytes_write_varint(&writer, frame->at_ms - end_ms);
    }
    bytes_write_u8(&writer, frame->duration_ms);
    bytes_write_varint(&writer, frame->payload.length);
    bytes_write(&writer, frame->payload.data, frame->payload.length);
    if (writer.failed || (length > 0 && frame->at_ms < end_ms)) {
        return false;
    }
    part->frames = BYTES_AT(bytes, length + bytes_written(&writer));
    return true;
}

/* Where the part ends in its message; 0: its frames make no sense. */
static uint32_t end_of(MeshVoicePart part) {
    MeshVoiceFrame frame;

    while (part.frames.length > 0) {
        if (!mesh_voice_frame(&part, &frame) || part.from_ms > MESH_VOICE_MS_MAX) {
            return 0;
        }
    }
    return part.from_ms;
}

bool voice_part_is_valid(const MeshVoicePart *part) {
    return part->codec > 0 && part->codec <= MESH_VOICE_CODEC_MAX &&
           (part->number > 0 || part->from_ms == 0) && part->from_ms <= MESH_VOICE_MS_MAX &&
           part->frames.length > 0 && part->frames.length <= MESH_VOICE_FRAMES_MAX &&
           end_of(*part) > 0;
}

/* ---- parts ---- */

void voices_reset(Voices *voices) {
    free(voices->parts);
    free(voices->order);
    *voices = (Voices){0};
}

static int compare(const VoicePart *part, const MeshHash *message, const MeshKey *author,
                   uint32_t number) {
    int order = memcmp(part->message.bytes, message->bytes, MESH_HASH_SIZE);

    if (order == 0) {
        order = memcmp(part->author.bytes, author->bytes, MESH_KEY_SIZE);
    }
    if (order == 0) {
        order = part->number < number ? -1 : part->number > number;
    }
    return order;
}

/* In their order; NULL past the last. */
static VoicePart *at_place(const Voices *voices, size_t at) {
    return at < voices->count ? &voices->parts[voices->order[at]] : NULL;
}

/* Where this part is, or belongs. */
static size_t find(const Voices *voices, const MeshHash *message, const MeshKey *author,
                   uint32_t number) {
    size_t low = 0, high = voices->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(at_place(voices, middle), message, author, number) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool voices_add(Voices *voices, const Entry *entry, uint64_t height, const SealedAct *act) {
    VoicePart part = {.message = act->voice.part.number > 0 ? act->voice.message : entry->hash,
                      .author = entry->author,
                      .number = act->voice.part.number,
                      .place = {.height = height, .hash = entry->hash},
                      .last = act->voice.part.last,
                      .end_ms = end_of(act->voice.part)};
    size_t at = find(voices, &part.message, &part.author, part.number);
    VoicePart *here = at_place(voices, at);

    if (here && compare(here, &part.message, &part.author, part.number) == 0) {
        if (place_compare(&here->place, &part.place) <= 0) {
            return false;
        }
        *here = part;
        return true;
    }
    if (!memory_grow((void **)&voices->parts, &voices->capacity, voices->count,
                     sizeof *voices->parts) ||
        !memory_grow((void **)&voices->order, &voices->order_capacity, voices->count,
                     sizeof *voices->order)) {
        return false;
    }
    memmove(voices->order + at + 1, voices->order + at,
            (voices->count - at) * sizeof *voices->order);
    voices->order[at] = (uint32_t)voices->count;
    voices->parts[voices->count++] = part;
    return true;
}

VoiceState voices_state(const Voices *voices, const MeshHash *message, const MeshKey *author) {
    VoiceState state = {0};
    const VoicePart *part;

    for (size_t at = find(voices, message, author, 0); (part = at_place(voices, at)); at++) {
        if (state.whole || compare(part, message, author, state.parts) != 0) {
            break;
        }
        state.parts++;
        state.whole = part->last;
        state.duration_ms = part->end_ms > state.duration_ms ? part->end_ms : state.duration_ms;
    }
    return state;
}

/* Part 0 bears the message's name itself. */
static const VoicePart *first_of(const Voices *voices, const MeshHash *message) {
    static const MeshKey least;
    const VoicePart *part;

    for (size_t at = find(voices, message, &least, 0); (part = at_place(voices, at)); at++) {
        if (!mesh_hash_equal(&part->message, message)) {
            break;
        }
        if (part->number == 0) {
            return part;
        }
    }
    return NULL;
}

const VoicePart *voices_part(const Voices *voices, const MeshHash *message, uint32_t number) {
    const VoicePart *first = first_of(voices, message);

    if (!first || number >= voices_state(voices, message, &first->author).parts) {
        return NULL;
    }
    return at_place(voices, find(voices, message, &first->author, number));
}
