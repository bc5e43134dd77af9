/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/overlay/ask.h"

#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/message.h"
#include "mesh/overlay/relayed.h"

#define QUIET_US       (300 * MS) /* without a frame, and half a round trip, and what one lasts */
#define AGAIN_US       (300 * MS) /* then the next neighbour is asked, */
#define ROUNDS_SOON    3          /* and all of them once more, so often, */
#define ROUND_US       S          /* then more seldom */
#define ROUNDS_MOST    8
#define ROUNDS_NEAR    1       /* who hears the speaker itself waits for it */
#define AT_US          (2 * S) /* so often neighbours are told how far a stream is here */
#define AT_LIFE_US     (2 * S)
#define BEHIND_MOST    8          /* frames behind a neighbour, */
#define BEHIND_US      (500 * MS) /* or so long: it is asked */
#define ACCOUNT_FRAMES 16         /* whoever was asked is judged by so many frames */
#define CALM_US        S          /* after a pause others are told later: frames are on their way */
#define RENEW_US       ((MESH_ASK_S_MAX - 5) * S)
#define FAR_HOPS       512 /* who is asked last */
#define UNKNOWN_HOPS   256
#define AT_SIZE        (SHORT_KEY_SIZE + 1 + 4)
#define ASK_SIZE       (AT_SIZE + 1)

#define IDLE_FRAMES 16       /* that others bring, and not the one who is to by the tree */
#define IDLE_US     S        /* then one more is asked, and the next not before */
#define FORGED_US   (30 * S) /* who brought false frames is not relied on alone */

#define GAPS_LATE 8           /* frames that may still come, repaired */
#define GAPS_MASK 0xffffffffu /* of so many before these */
#define GAPS_MOST 4           /* so many may be missing, or else one more is asked, */
#define GAPS_US   (3 * S)     /* and not again before */
#define GAPS_PPM  50000       /* by a line that loses less than this */

/* ---- asking ---- */

static void write_place(BytesWriter *writer, const MeshKey *speaker, MeshStreamKind kind,
                        uint32_t number) {
    bytes_write(writer, speaker->bytes, SHORT_KEY_SIZE);
    bytes_write_u8(writer, (uint8_t)kind);
    bytes_write_u32(writer, number);
}

static void send_ask(Mesh *mesh, uint32_t slot, const MeshKey *speaker, MeshStreamKind kind,
                     uint32_t number, uint8_t seconds) {
    uint8_t body[ASK_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    write_place(&writer, speaker, kind, number);
    bytes_write_u8(&writer, seconds);
    /* In an outage it is forgotten: then what was asked for may be on its way again. */
    neighbour_send(mesh, neighbour_at(mesh, slot), LINK_CONTROL, seconds ? QUIET_US : S,
                   MESSAGE_FEED_ASK, BYTES_OF(body));
}

static void ask(Mesh *mesh, Stream *stream, uint32_t slot) {
    StreamWish *wish = &stream->wish;

    wish->asks |= 1ull << slot;
    wish->tried |= 1ull << slot;
    wish->asked_us = mesh->now_us;
    wish->count = wish->bought = wish->spared = 0;
    wish->useful = 0;
    send_ask(mesh, slot, &stream->speaker, stream->kind, stream->last_number, MESH_ASK_S_MAX);
}

/* Those of the mask are not needed any more. */
static void stop_asking(Mesh *mesh, Stream *stream, uint64_t slots) {
    for (uint32_t slot = 0; slots && slot < mesh->neighbours.end; slot++) {
        if (slots >> slot & 1) {
            send_ask(mesh, slot, &stream->speaker, stream->kind, stream->last_number, 0);
        }
    }
    stream->wish.asks &= ~slots;
}

/* How far from the speaker a neighbour is; those that are to hear it from us, weak ones, and those
 * whose frames do not come, are far. */
static uint32_t distance(Mesh *mesh, const Stream *stream, uint32_t slot) {
    const Neighbour *neighbour = neighbour_view(mesh, slot);
    const GraphTree *tree = map_tree(mesh, &stream->speaker);
    uint16_t node = map_index(mesh, &neighbour->key);
    uint32_t hops = UNKNOWN_HOPS;
    uint32_t more = stream->pusher == slot ? FAR_HOPS : 0;

    more += stream->wish.vain >> slot & 1 ? FAR_HOPS : 0;
    if (mesh_key_equal(&neighbour->key, &stream->speaker)) {
        return more;
    }
    if (tree && node < tree->count && graph_tree_reaches(tree, node)) {
        hops = tree->hops[node];
        hops += tree->parent[node] == map_index(mesh, &mesh->self.key) ? FAR_HOPS : 0;
    }
    return hops + more + (map_is_weak(mesh, &neighbour->key) ? FAR_HOPS : 0);
}

/* The neighbour to be asked next, less far than that and not one of the mask; NEIGHBOUR_NONE. */
static uint32_t next(Mesh *mesh, const Stream *stream, uint64_t but, uint32_t best_distance) {
    uint32_t best = NEIGHBOUR_NONE;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);
        uint32_t far;

        if (!neighbour || but >> slot & 1 || !neighbour_is_direct(neighbour) ||
            !neighbour_is_greeted(mesh, neighbour)) {
            continue;
        }
        far = distance(mesh, stream, slot);
        if (far < best_distance) {
            best = slot;
            best_distance = far;
        }
    }
    return best;
}

static bool hears_speaker(Mesh *mesh, const Stream *stream) {
    const GraphTree *tree = map_tree(mesh, &stream->speaker);
    uint16_t self = map_index(mesh, &mesh->self.key);

    return tree && self < tree->count && tree->parent[self] == tree->source;
}

/* The neighbour that is to push it by the tree. */
static uint32_t find_parent(Mesh *mesh, const Stream *stream) {
    const GraphTree *tree = map_tree(mesh, &stream->speaker);
    uint16_t self = map_index(mesh, &mesh->self.key);
    uint16_t parent = tree && self < tree->count ? tree->parent[self] : GRAPH_NONE;
    const Neighbour *neighbour = parent == GRAPH_NONE || parent == tree->source
                                     ? NULL
                                     : neighbour_view_of(mesh, map_key(mesh, parent));

    return neighbour ? neighbour_slot(mesh, neighbour) : NEIGHBOUR_NONE;
}

static uint64_t parent_bit(Mesh *mesh, Stream *stream) {
    StreamWish *wish = &stream->wish;

    if (wish->turn != mesh->map.turn) {
        wish->turn = mesh->map.turn;
        wish->parent = find_parent(mesh, stream);
        wish->idle = 0;
    }
    return wish->parent == NEIGHBOUR_NONE ? 0 : 1ull << wish->parent;
}

/* Whether who is to push it does not, or brings false frames too. */
static bool is_idle(Mesh *mesh, Stream *stream) {
    uint64_t parent = parent_bit(mesh, stream);
    uint64_t forged_us = parent ? mesh->streams.forged_us[stream->wish.parent] : 0;

    return stream->wish.vain & parent || (forged_us > 0 && mesh->now_us < forged_us + FORGED_US);
}

/* That is known before it matters: where two push, or who was asked does, and the tree may be
 * another any moment. Then whoever brings it is asked to go on, or another. */
static void step_idle(Mesh *mesh, Stream *stream, uint32_t slot) {
    StreamWish *wish = &stream->wish;
    uint64_t parent = parent_bit(mesh, stream);

    if (slot == wish->parent) {
        wish->idle = 0;
    } else if (parent && ++wish->idle >= IDLE_FRAMES) {
        wish->vain |= parent;
    }
    if (!is_idle(mesh, stream) || wish->asks & ~(wish->vain | parent) ||
        mesh->now_us < wish->asked_us + IDLE_US) {
        return;
    }
    if (slot == wish->parent) {
        slot = next(mesh, stream, wish->asks | wish->vain | parent, FAR_HOPS);
    }
    if (slot != NEIGHBOUR_NONE) {
        ask(mesh, stream, slot);
        wish->tried = 0;
    }
}

static void step_quiet(Mesh *mesh, Stream *stream) {
    StreamWish *wish = &stream->wish;
    uint32_t rounds_most = hears_speaker(mesh, stream) ? ROUNDS_NEAR : ROUNDS_MOST;
    uint32_t slot;

    wish->vain |= parent_bit(mesh, stream);
    slot = next(mesh, stream, wish->tried, UINT32_MAX);

    if (slot != NEIGHBOUR_NONE) {
        ask(mesh, stream, slot);
        wish->quiet_us = mesh->now_us + AGAIN_US;
    } else if (wish->tried && ++wish->rounds < rounds_most) {
        wish->tried = 0;
        wish->quiet_us = mesh->now_us + (wish->rounds < ROUNDS_SOON ? AGAIN_US : ROUND_US);
    } else {
        wish->quiet_us = UINT64_MAX;
    }
}

static bool has_others(Mesh *mesh, const Stream *stream) {
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        const Neighbour *neighbour = neighbour_view(mesh, slot);

        if (neighbour && slot != stream->pusher && neighbour_is_direct(neighbour)) {
            return true;
        }
    }
    return false;
}

static unsigned count_gaps(const Stream *stream) {
    uint32_t gaps = (uint32_t) ~(stream->seen >> GAPS_LATE) & GAPS_MASK;
    unsigned count = 0;

    for (; gaps; gaps &= gaps - 1) {
        count++;
    }
    return count;
}

/* Many frames are missing, of one that comes over others: whoever brings it loses them, or keeps
 * them back. */
static void step_gaps(Mesh *mesh, Stream *stream) {
    StreamWish *wish = &stream->wish;
    uint32_t slot;

    if (wish->frames < STREAM_WINDOW || mesh->now_us < wish->gaps_us + GAPS_US ||
        count_gaps(stream) <= GAPS_MOST || hears_speaker(mesh, stream)) {
        return;
    }
    slot = next(mesh, stream, wish->asks, UINT32_MAX);
    if (slot != NEIGHBOUR_NONE && slot != stream->pusher &&
        link_state(neighbour_view(mesh, slot)->link, mesh->now_us).loss_ppm < GAPS_PPM) {
        ask(mesh, stream, slot);
        wish->gaps_us = mesh->now_us;
        wish->tried = 0;
    }
}

/* What those asked brought: who never came first is not needed, and nobody is once about all came
 * by the tree too. */
static void account(Mesh *mesh, Stream *stream, uint32_t slot) {
    StreamWish *wish = &stream->wish;
    uint64_t needless = wish->asks;

    wish->count++;
    wish->useful |= 1ull << slot;
    wish->bought += (uint32_t)(wish->asks >> slot & 1);
    if (wish->count < ACCOUNT_FRAMES) {
        return;
    }
    if (is_idle(mesh, stream)) {
        needless = wish->asks & wish->useful ? wish->asks & ~wish->useful : 0;
    } else if (wish->spared < wish->bought) {
        needless = wish->asks & ~wish->useful;
    }
    stop_asking(mesh, stream, needless);
    wish->count = wish->bought = wish->spared = 0;
    wish->useful = 0;
}

void ask_came(Mesh *mesh, Stream *stream, uint32_t slot, uint64_t lasts_us) {
    StreamWish *wish = &stream->wish;
    uint64_t trip_us = link_rtt_us(neighbour_view(mesh, slot)->link);

    wish->tried = 0;
    wish->rounds = 0;
    wish->vain &= ~(1ull << slot);
    wish->quiet_us = !stream->paused && has_others(mesh, stream)
                         ? mesh->now_us + QUIET_US + trip_us / 2 + lasts_us
                         : UINT64_MAX;
    if (!wish->tell) {
        wish->tell = true;
        wish->tell_us =
            wish->tell_us > mesh->now_us + CALM_US ? wish->tell_us : mesh->now_us + CALM_US;
    }
    wish->frames += wish->frames < STREAM_WINDOW;
    if (wish->asks) {
        account(mesh, stream, slot);
    }
    step_idle(mesh, stream, slot);
    step_gaps(mesh, stream);
}

void ask_came_again(Stream *stream, uint32_t slot) {
    stream->wish.vain &= ~(1ull << slot);
    if (slot == stream->wish.parent) {
        stream->wish.idle = 0;
    }
    stream->wish.spared += !(stream->wish.asks >> slot & 1);
}

void ask_lost(Mesh *mesh, Stream *stream) {
    if (stream->state == STREAM_OPEN && stream->wish.quiet_us != UINT64_MAX) {
        stream->wish.quiet_us = mesh->now_us;
    }
}

/* ---- telling how far it is here ---- */

/* Everybody who neither pushes it here nor is pushed to; in a small meeting who hears the speaker
 * itself needs no telling. */
static void tell(Mesh *mesh, Stream *stream) {
    bool small = map_present_count(mesh) < GRAPH_SMALL;
    uint8_t body[AT_SIZE];
    BytesWriter writer = bytes_writer(body, sizeof body);

    write_place(&writer, &stream->speaker, stream->kind, stream->last_number);
    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        Neighbour *neighbour = neighbour_at(mesh, slot);

        if (neighbour && slot != stream->pusher && !(stream->load.pushed >> slot & 1) &&
            !mesh_key_equal(&neighbour->key, &stream->speaker) && neighbour_is_direct(neighbour) &&
            neighbour_is_greeted(mesh, neighbour) &&
            !(small && feed_hears_source(mesh, neighbour, &stream->speaker))) {
            neighbour_send(mesh, neighbour, LINK_CONTROL, AT_LIFE_US, MESSAGE_FEED_AT,
                           BYTES_OF(body));
        }
    }
    stream->wish.tell = false;
    stream->wish.tell_us = mesh->now_us + AT_US;
}

/* Whom we asked is asked again before it forgets. */
static uint64_t renew_us(const Stream *stream) {
    return stream->wish.asks && !stream->wish.tried ? stream->wish.asked_us + RENEW_US : UINT64_MAX;
}

static void renew(Mesh *mesh, Stream *stream) {
    uint64_t asks = stream->wish.asks;

    for (uint32_t slot = 0; slot < mesh->neighbours.end; slot++) {
        if (asks >> slot & 1) {
            ask(mesh, stream, slot);
        }
    }
    stream->wish.tried = 0;
}

static uint64_t tell_us(const Stream *stream) {
    return stream->wish.tell ? stream->wish.tell_us : UINT64_MAX;
}

void ask_timeout(Mesh *mesh) {
    for (size_t i = 0; i < mesh->streams.used; i++) {
        Stream *stream = &mesh->streams.streams[i];

        if (stream->state != STREAM_OPEN) {
            continue;
        }
        if (mesh->now_us >= stream->wish.quiet_us) {
            step_quiet(mesh, stream);
        }
        if (mesh->now_us >= renew_us(stream)) {
            renew(mesh, stream);
        }
        if (mesh->now_us >= tell_us(stream)) {
            tell(mesh, stream);
        }
    }
}

uint64_t ask_deadline_us(const Mesh *mesh) {
    uint64_t deadline = UINT64_MAX;

    for (size_t i = 0; i < mesh->streams.used; i++) {
        const Stream *stream = &mesh->streams.streams[i];

        if (stream->state == STREAM_OPEN) {
            deadline = stream->wish.quiet_us < deadline ? stream->wish.quiet_us : deadline;
            deadline = renew_us(stream) < deadline ? renew_us(stream) : deadline;
            deadline = tell_us(stream) < deadline ? tell_us(stream) : deadline;
        }
    }
    return deadline;
}

/* ---- being told ---- */

MeshError ask_read_place(Mesh *mesh, BytesReader *reader, MeshKey *ret_speaker,
                         MeshStreamKind *ret_kind, uint32_t *ret_number) {
    const Roster *roster = &mesh->meeting.roster;
    const uint8_t *key = bytes_read(reader, SHORT_KEY_SIZE);
    uint8_t kind = bytes_read_u8(reader);

    *ret_kind = (MeshStreamKind)kind;
    *ret_number = bytes_read_u32(reader);
    if (!key || reader->failed || kind < MESH_STREAM_VOICE || kind > MESH_STREAM_SCREEN) {
        return MESH_ERROR_MALFORMED;
    }
    for (size_t i = 0; i < roster->member_count; i++) {
        const Member *member = &roster->members[i];

        if (!memcmp(member->key.bytes, key, SHORT_KEY_SIZE) && !member->expelled &&
            member->role <= MESH_ROLE_GUEST) {
            *ret_speaker = member->key;
            return MESH_OK;
        }
    }
    return MESH_ERROR_FORBIDDEN;
}

MeshError ask_at_received(Mesh *mesh, uint32_t slot, Bytes body) {
    BytesReader reader = bytes_reader(body.data, body.length);
    MeshStreamKind kind;
    MeshKey speaker;
    uint32_t number;
    MeshError error = ask_read_place(mesh, &reader, &speaker, &kind, &number);
    Stream *stream;
    int32_t behind;
    bool flows;

    if (error || !bytes_done(&reader)) {
        return error ? error : MESH_ERROR_MALFORMED;
    }
    if (mesh_key_equal(&speaker, &mesh->self.key) ||
        !neighbour_is_direct(neighbour_view(mesh, slot))) {
        return MESH_OK;
    }
    stream = stream_of(mesh, &speaker, kind);
    if (!stream) {
        uint64_t *lacked_us = &mesh->streams.lacked_us[slot];

        if (*lacked_us == 0 || mesh->now_us - *lacked_us >= S) {
            *lacked_us = mesh->now_us;
            send_ask(mesh, slot, &speaker, kind, number - 1, MESH_ASK_S_MAX);
        }
        return MESH_OK;
    }
    behind = (int32_t)(number - stream->last_number);
    flows = mesh->now_us < stream->came_us + BEHIND_US;
    if (behind > (flows ? BEHIND_MOST : 0) && !(flows && stream->wish.asks) &&
        (!(stream->wish.tried >> slot & 1) || mesh->now_us >= stream->wish.asked_us + AT_US)) {
        ask(mesh, stream, slot);
    }
    return MESH_OK;
}
