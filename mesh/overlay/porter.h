/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A relay as a porter: a stranger who reaches nobody else knocks through it at a member, who alone
 * judges the ticket; and a joiner who knocks so.
 * It owns the few guests it passes on for, and of a joiner which porter answered. It opens nothing,
 * answers nothing itself, and passes on between a stranger and members it is linked with alone.
 *
 * Both PASS and what is in it may be of anybody: what is passed on authenticates itself, or not.
 */
#pragma once

#include "mesh/domain.h"
#include "mesh/error.h"
#include "mesh/limits.h"
#include "mesh/path.h"

typedef struct Mesh Mesh;

#define PORTER_PASS      0x60 /* first byte: then to 8, from 8, datagram */
#define PORTER_HEAD_SIZE (1 + SHORT_KEY_SIZE + SHORT_KEY_SIZE)

/* One who is passed on for, by the short key it gave. */
typedef struct {
    uint8_t key[SHORT_KEY_SIZE];
    MeshPath path;     /* where it is */
    uint64_t heard_us; /* it came last; 0: nobody */
    uint64_t paid_us;  /* until then what it costs fills what it may */
    uint32_t bytes;    /* of it and for it, while it is in no roster */
    bool answered;     /* by a member: it holds a ticket, or seems to */
} PorterGuest;

typedef struct {
    PorterGuest guests[MESH_GUESTS_MAX];
    uint64_t window_us; /* of the knocks of those not answered yet */
    uint32_t window_count;
    uint32_t turn; /* slot of the member who was hailed last */
    MeshPath way;  /* of a joiner: the porter that answered; NONE: none did */
} Porter;

/*
 * A PASS came by the knock port: it goes on, or is read when it is for us. FOREIGN: it is neither a
 * porter's nor for us; UNKNOWN: there is no such member; FULL: too many come, or this one too much.
 */
MeshError porter_received(Mesh *mesh, const MeshPath *path, Bytes datagram);
/* A member answers a guest, to which the map shows no way. UNKNOWN: it is none. */
MeshError porter_answer(Mesh *mesh, const uint8_t to[SHORT_KEY_SIZE],
                        const uint8_t from[SHORT_KEY_SIZE], Bytes datagram);

/* A joiner knocks at a node, or with NULL hails whoever lets in, at all addresses of its ticket. */
void porter_knock(Mesh *mesh, const uint8_t *to, Bytes datagram);
/* Sends by the porter that answered, if any did. */
void porter_send(Mesh *mesh, const uint8_t to[SHORT_KEY_SIZE], Bytes datagram);
