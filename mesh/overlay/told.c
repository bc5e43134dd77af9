/* SPDX-License-Identifier: MPL-2.0 */
/* What neighbours say of streams: which there are, how they name them, that they end. */
#include <sodium.h>
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/ask.h"

#define NEW_US      (250 * MS) /* a neighbour tells of a stream new here so often in the long run, */
#define NEW_BURST   64         /* and of so many at once */
#define RIVALS_MOST 2 /* streams of one speaker and kind told by one neighbour, none proven */

/* ---- names ---- */

Stream *told_find(Mesh *mesh, uint32_t slot, uint8_t name) {
    for (size_t i = 0; name && i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_FREE && stream->names[slot] == name) {
            return stream;
        }
    }
    return NULL;
}

Stream *told_find_own(Mesh *mesh, uint8_t name) {
    for (size_t i = 0; name && i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_FREE && stream->name == name) {
            return stream;
        }
    }
    return NULL;
}

uint8_t told_name(Mesh *mesh) {
    /* The one longest unused: what comes late is not taken for another stream. */
    do {
        mesh->streams.next_name++;
    } while (mesh->streams.next_name == 0 || live_named(mesh, mesh->streams.next_name) ||
             told_find_own(mesh, mesh->streams.next_name));
    return mesh->streams.next_name;
}

static void unname(Stream *stream, uint32_t slot) {
    stream->tellers &= ~(1ull << slot);
    stream->names[slot] = 0;
    if (stream->first == slot) {
        stream->first = NEIGHBOUR_NONE;
        for (uint32_t other = 0; other < MESH_PEERS_MAX; other++) {
            if (stream->tellers >> other & 1) {
                stream->first = other;
                break;
            }
        }
    }
}

static void name(Mesh *mesh, Stream *stream, uint32_t slot, uint8_t name) {
    Stream *former = told_find(mesh, slot, name);

    stream->tellers |= 1ull << slot;
    /* By whatever name frames come, it is kept. */
    if (former != stream && !(former && stream_comes_from(mesh, former, slot)) &&
        !stream_comes_from(mesh, stream, slot)) {
        if (former) {
            unname(former, slot);
        }
        stream->names[slot] = name;
    }
    stream->first = stream->first == NEIGHBOUR_NONE ? slot : stream->first;
}

/* ---- places ---- */

static bool is_idle(const Stream *stream) {
    return stream->state != STREAM_FREE && stream->state != STREAM_OPEN;
}

/* How many idle ones this neighbour told of first. */
static size_t count_idle(const Mesh *mesh, uint32_t first) {
    size_t count = 0;

    for (size_t i = 0; first != NEIGHBOUR_NONE && i < mesh->streams.used; i++) {
        count += is_idle(&mesh->streams.streams[i]) && mesh->streams.streams[i].first == first;
    }
    return count;
}

/* The first of two idle ones to give way: what is over, or nobody tells any more; then of those of
 * the neighbour that told of most, lest a liar displaces what others say; then the oldest. */
static bool gives_way(const Mesh *mesh, const Stream *a, const Stream *b) {
    bool a_gone = a->state == STREAM_OVER || a->tellers == 0;
    bool b_gone = b->state == STREAM_OVER || b->tellers == 0;
    size_t a_count = count_idle(mesh, a->first);
    size_t b_count = count_idle(mesh, b->first);

    if (a_gone != b_gone) {
        return a_gone;
    }
    return a_count != b_count ? a_count > b_count : a->told_us < b->told_us;
}

static Stream *find_place(Mesh *mesh) {
    Streams *streams = &mesh->streams;
    Stream *found = NULL;

    for (size_t i = 0; i < streams->used; i++) {
        Stream *stream = &streams->streams[i];

        if (stream->state == STREAM_FREE) {
            return stream;
        }
        if (is_idle(stream) && (!found || gives_way(mesh, stream, found))) {
            found = stream;
        }
    }
    if (streams->used < MESH_STREAMS_MAX && streams_reserve(mesh, streams->used + 1)) {
        found = &streams->streams[streams->used++];
    }
    return found;
}

/* Of what a neighbour told of one speaker, nothing of it proven, there is a little: the oldest
 * gives way. NULL: there is room. */
static Stream *find_rival(Mesh *mesh, uint32_t slot, const StreamWord *word) {
    Stream *oldest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (is_idle(stream) && !stream->proven && stream->first == slot &&
            stream->kind == word->kind && mesh_key_equal(&stream->speaker, &word->speaker)) {
            count++;
            oldest = !oldest || stream->told_us < oldest->told_us ? stream : oldest;
        }
    }
    return count >= RIVALS_MOST ? oldest : NULL;
}

/* Whether a neighbour may tell of one more that is new here. */
static bool may_tell(Mesh *mesh, uint32_t slot) {
    uint64_t *paid_us = &mesh->streams.paid_us[slot];

    *paid_us = *paid_us > mesh->now_us ? *paid_us : mesh->now_us;
    if (*paid_us >= mesh->now_us + NEW_BURST * NEW_US) {
        return false;
    }
    *paid_us += NEW_US;
    return true;
}

static Stream *add(Mesh *mesh, uint32_t slot, const StreamWord *word) {
    Stream *stream = NULL;

    if (!may_tell(mesh, slot)) {
        return NULL;
    }
    stream = find_rival(mesh, slot, word);
    stream = stream ? stream : find_place(mesh);
    if (!stream) {
        return NULL;
    }
    stream_forget(mesh, stream);
    *stream = (Stream){.state = STREAM_LOCKED,
                       .speaker = word->speaker,
                       .kind = word->kind,
                       .first = NEIGHBOUR_NONE,
                       .told_us = mesh->now_us,
                       .word = slot,
                       .last_number = word->last_number,
                       .last_time_ms = word->last_time_ms,
                       .pusher = NEIGHBOUR_NONE,
                       .wish = {.quiet_us = UINT64_MAX}};
    memcpy(stream->id, word->id, sizeof stream->id);
    memcpy(stream->epoch_key, word->epoch_key, sizeof stream->epoch_key);
    stream_unlock(mesh, stream);
    return stream;
}

/* ---- what is told ---- */

void told_write(const StreamWord *word, uint8_t ret_body[STREAM_WORD_SIZE]) {
    BytesWriter writer = bytes_writer(ret_body, STREAM_WORD_SIZE);

    bytes_write_u8(&writer, word->name);
    bytes_write_u8(&writer, (uint8_t)word->kind);
    bytes_write(&writer, word->speaker.bytes, sizeof word->speaker.bytes);
    bytes_write(&writer, word->id, sizeof word->id);
    bytes_write(&writer, word->epoch_key, sizeof word->epoch_key);
    bytes_write_u32(&writer, word->last_number);
    bytes_write_u32(&writer, word->last_time_ms);
}

static MeshError read_word(Mesh *mesh, Bytes body, StreamWord *ret_word) {
    BytesReader reader = bytes_reader(body.data, body.length);
    const Member *speaker;

    *ret_word = (StreamWord){.name = bytes_read_u8(&reader), .kind = bytes_read_u8(&reader)};
    bytes_read_into(&reader, ret_word->speaker.bytes, sizeof ret_word->speaker.bytes);
    bytes_read_into(&reader, ret_word->id, sizeof ret_word->id);
    bytes_read_into(&reader, ret_word->epoch_key, sizeof ret_word->epoch_key);
    ret_word->last_number = bytes_read_u32(&reader);
    ret_word->last_time_ms = bytes_read_u32(&reader);
    if (!bytes_done(&reader) || ret_word->name == 0 || ret_word->kind < MESH_STREAM_VOICE ||
        ret_word->kind > MESH_STREAM_SCREEN) {
        return MESH_ERROR_MALFORMED;
    }
    speaker = core_member(mesh, &ret_word->speaker);
    if (!speaker || speaker->role > MESH_ROLE_GUEST ||
        mesh_key_equal(&ret_word->speaker, &mesh->self.key)) {
        return MESH_ERROR_FORBIDDEN;
    }
    return MESH_OK;
}

static Stream *find(Mesh *mesh, const StreamWord *word) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_FREE && stream->kind == word->kind &&
            mesh_key_equal(&stream->speaker, &word->speaker) &&
            bytes_equal(stream->id, word->id, sizeof stream->id) &&
            bytes_equal(stream->epoch_key, word->epoch_key, sizeof stream->epoch_key)) {
            return stream;
        }
    }
    return NULL;
}

bool told_by_speaker(const Mesh *mesh, const Stream *stream) {
    const Neighbour *speaker = neighbour_view_of(mesh, &stream->speaker);

    return speaker && stream->tellers >> neighbour_slot(mesh, speaker) & 1;
}

/* By its speaker's own link: what else was thought to be its stream is not. */
static void settle(Mesh *mesh, Stream *stream) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *other = &mesh->streams.streams[i];

        if (other != stream && other->state != STREAM_FREE && other->kind == stream->kind &&
            mesh_key_equal(&other->speaker, &stream->speaker)) {
            stream_close(mesh, other);
            other->state = STREAM_OVER;
        }
    }
    if (stream->state == STREAM_OVER) {
        stream->state = STREAM_LOCKED;
        stream_unlock(mesh, stream);
    }
    if (stream->state == STREAM_TOLD) {
        stream_open(mesh, stream);
    }
}

MeshError told_stream(Mesh *mesh, uint32_t slot, Bytes body) {
    const Neighbour *neighbour = neighbour_view(mesh, slot);
    StreamWord word;
    MeshError error = read_word(mesh, body, &word);
    bool own;
    Stream *stream;

    if (error) {
        return error;
    }
    own = mesh_key_equal(&neighbour->key, &word.speaker);
    stream = find(mesh, &word);
    if (!stream) {
        stream = add(mesh, slot, &word);
    } else if (!stream->proven && (own || (stream->word != slot && may_tell(mesh, slot)))) {
        /* Of what nobody proved the last word counts: who sends frames is asked for another. */
        stream->word = slot;
        stream->last_number = word.last_number;
        stream->last_time_ms = word.last_time_ms;
    }
    if (!stream) {
        return MESH_ERROR_FULL;
    }
    name(mesh, stream, slot, word.name);
    if (own) {
        settle(mesh, stream);
    }
    return MESH_OK;
}

MeshError told_stream_end(Mesh *mesh, uint32_t slot, Bytes body) {
    const Neighbour *neighbour = neighbour_view(mesh, slot);
    Stream *stream = body.length == 1 ? told_find(mesh, slot, body.data[0]) : NULL;

    if (stream && mesh_key_equal(&neighbour->key, &stream->speaker)) {
        stream_close(mesh, stream);
        stream->state = STREAM_OVER;
    } else if (stream) {
        stream->tellers &= ~(1ull << slot); /* its name stays: frames may come behind */
        stream_end(mesh, stream, slot);
    }
    return body.length == 1 ? MESH_OK : MESH_ERROR_MALFORMED;
}

void told_lost(Mesh *mesh, uint32_t slot) {
    mesh->streams.lacked_us[slot] = 0;
    mesh->streams.forged_us[slot] = 0;
    mesh->streams.paid_us[slot] = 0;
    mesh->streams.look = true;
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state == STREAM_FREE) {
            continue;
        }
        unname(stream, slot);
        stream->told &= ~(1ull << slot);
        if (stream->pusher == slot) {
            stream->pusher = NEIGHBOUR_NONE;
            stream->load.pushed &= ~(1ull << slot);
            ask_lost(mesh, stream);
        }
        stream->brought &= ~(1ull << slot);
        stream->brought_before &= ~(1ull << slot);
        stream->wish.tried &= ~(1ull << slot);
        stream->wish.asks &= ~(1ull << slot);
        stream->wish.vain &= ~(1ull << slot);
        stream->wish.turn = 0; /* another may get the slot */
    }
}
