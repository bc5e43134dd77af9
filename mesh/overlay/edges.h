/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bytes of one record of the map: whom its author is linked with directly, and how good these
 * lines are, in a few classes, signed.
 * It owns the format. It never keeps a record: `record` below are borrowed bytes that edges_read or
 * edges_write has made sure of, as long as edges_length says.
 */
#pragma once

#include "mesh/domain.h"

#define EDGES_HEAD_SIZE   (MESH_KEY_SIZE + 8 + 1 + 1) /* author, number u64, flags, count */
#define EDGES_EDGE_SIZE   (SHORT_KEY_SIZE + 1)
#define EDGES_SIZE(count) (EDGES_HEAD_SIZE + (count)*EDGES_EDGE_SIZE + DOMAIN_SIGNATURE_SIZE)

#define EDGES_WEAK  0x01 /* its author should carry nothing for others */
#define EDGES_RELAY 0x02 /* its author is in the meeting to carry */

#define EDGE_RTT_WORST  10 /* a round trip of 2.56 s or more */
#define EDGE_LOSS_WORST 3  /* 15 % or more */
#define EDGE_ROOM_BEST  3  /* 4 Mbit/s or more */
#define EDGE_ROOM_GUESS 2  /* of a line of which nothing is known */

/* As it stands in a record: those of one record in increasing order of their keys. */
typedef struct {
    uint8_t key[SHORT_KEY_SIZE]; /* of the other end */
    uint8_t classes;             /* edge_classes */
} Edge;

/* ---- classes: the higher the rtt and loss, the worse; the higher the room, the better ---- */

static inline uint8_t edge_classes(uint8_t rtt, uint8_t loss, uint8_t room) {
    return (uint8_t)(rtt << 4 | loss << 2 | room);
}

static inline uint8_t edge_rtt(uint8_t classes) {
    return classes >> 4 < EDGE_RTT_WORST ? classes >> 4 : EDGE_RTT_WORST;
}

static inline uint8_t edge_loss(uint8_t classes) {
    return classes >> 2 & 3;
}

static inline uint8_t edge_room(uint8_t classes) {
    return classes & 3;
}

/* Where a class ends: the first value that is of the next; of the last class UINT32_MAX. */
uint32_t edge_rtt_bound_us(uint8_t rtt);
uint32_t edge_loss_bound_ppm(uint8_t loss);
uint32_t edge_room_bound_bps(uint8_t room);
/* The class of what was measured. */
uint8_t edge_rtt_of(uint32_t rtt_us);
uint8_t edge_loss_of(uint32_t loss_ppm);
uint8_t edge_room_of(uint32_t rate_bps);
/* The worse of both in each regard. */
uint8_t edge_worse(uint8_t a, uint8_t b);

/* ---- records ---- */

/*
 * The next record: borrowed, and `reader` stands behind it. MALFORMED: it is cut, has more edges
 * than MESH_EDGES_MAX, one to its author, or some out of order or twice. The signature is not
 * looked at.
 */
MeshError edges_read(BytesReader *reader, const uint8_t **ret_record);
/* Whether its author signed it in this meeting. */
bool edges_verify(const uint8_t *record, const MeshHash *meeting);
/*
 * Signs a record of ours into `ret_record[EDGES_SIZE(count)]` and returns its length; sorts
 * `edges`, of which there are at most MESH_EDGES_MAX, no two alike.
 */
size_t edges_write(const Identity *self, const MeshHash *meeting, uint64_t number, uint8_t flags,
                   Edge *edges, size_t count, uint8_t *ret_record);

size_t edges_length(const uint8_t *record);
const MeshKey *edges_author(const uint8_t *record);
uint64_t edges_number(const uint8_t *record);
uint8_t edges_flags(const uint8_t *record);
uint8_t edges_count(const uint8_t *record);
const Edge *edges_at(const uint8_t *record, size_t index);
/* The edge to this node; NULL: none is declared. */
const Edge *edges_find(const uint8_t *record, const uint8_t key[SHORT_KEY_SIZE]);
