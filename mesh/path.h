/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where a datagram comes from or goes to, as a plain value.
 * It owns nothing; two paths are the same when all their fields are. It never names a socket: the
 * node keeps those, and finds them again by kind, interface and agent.
 */
#pragma once

#include "mesh/bytes.h"

typedef enum {
    MESH_PATH_NONE,
    MESH_PATH_KNOCK, /* the node's own UDP port, to an address */
    MESH_PATH_ICE,   /* an ICE agent's selected pair */
    MESH_PATH_RELAY, /* through another member; never leaves mesh/ */
} MeshPathKind;

typedef struct {
    MeshPathKind kind;
    uint32_t agent;     /* ICE: the agent's number; RELAY: the carrying peer */
    uint8_t family;     /* KNOCK: 4 or 6 */
    uint16_t port;      /* KNOCK */
    uint32_t interface; /* KNOCK: interface index of a link-local address, else 0 */
    uint8_t ip[16];     /* KNOCK: 4 or 16 bytes, network order, the rest zero */
} MeshPath;

bool mesh_path_equal(const MeshPath *a, const MeshPath *b);

/* Alike for equal paths, and hardly for others. */
uint64_t mesh_path_mark(const MeshPath *path);

/* An address without its interface: u8 4|6, 4 or 16 bytes, port u16 big-endian. */
void mesh_path_write(BytesWriter *writer, const MeshPath *path);
/* A KNOCK path of interface 0; fails the reader when it is no address. */
MeshPath mesh_path_read(BytesReader *reader);
/* 169.254/16 or fe80::/10. */
bool mesh_path_is_link_local(const MeshPath *path);
