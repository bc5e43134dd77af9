/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/loudest.h"

#include "mesh/core.h"

#define SILENT_US  S          /* without a frame: it gives its place up */
#define LOUDER_US  (300 * MS) /* a newcomer must be louder for so long */
#define SMOOTH_US  (240 * MS)
#define LEVEL_MOST 127 /* −dBov: nothing is heard */
#define STEPS      16  /* of a decibel */

static bool is_heard(const Mesh *mesh, const Stream *stream) {
    return stream->kind == MESH_STREAM_VOICE && stream->voice.passes &&
           mesh->now_us < stream->came_us + SILENT_US;
}

/* The voices that are passed on, and the faintest of them but this one. */
static size_t count_heard(Mesh *mesh, const Stream *but, Stream **ret_faintest) {
    size_t count = 0;

    *ret_faintest = NULL;
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream != but && stream->state != STREAM_FREE && is_heard(mesh, stream)) {
            count++;
            *ret_faintest = !*ret_faintest || stream->voice.loud < (*ret_faintest)->voice.loud
                                ? stream
                                : *ret_faintest;
        }
    }
    return count;
}

/* A mean over a quarter of a second or so, whatever the frames last. */
static void smooth(StreamVoice *voice, const MeshFrame *frame) {
    uint8_t level = frame->level < LEVEL_MOST ? frame->level : LEVEL_MOST;
    uint32_t loud = (uint32_t)(LEVEL_MOST - level) * STEPS;
    uint64_t lasts_us = frame->duration_ms * MS;

    voice->loud = (uint32_t)((loud * lasts_us + voice->loud * SMOOTH_US) / (lasts_us + SMOOTH_US));
}

bool loudest_passes(Mesh *mesh, Stream *stream, const MeshFrame *frame) {
    StreamVoice *voice = &stream->voice;
    Stream *faintest;
    size_t count = count_heard(mesh, stream, &faintest);

    smooth(voice, frame);
    if (count < MESH_VOICES_MAX) {
        voice->passes = true;
    } else if (voice->passes) {
        voice->passes = count < MESH_VOICES_MAX; /* it was silent, and others came */
    } else if (voice->loud <= faintest->voice.loud) {
        voice->louder_us = 0;
    } else if (voice->louder_us == 0) {
        voice->louder_us = mesh->now_us;
    } else if (mesh->now_us >= voice->louder_us + LOUDER_US) {
        faintest->voice.passes = false;
        faintest->voice.louder_us = 0;
        voice->passes = true;
    }
    return voice->passes;
}
