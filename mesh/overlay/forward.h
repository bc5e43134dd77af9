/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Datagrams to anyone the map shows a way to, from neighbour to neighbour: handshakes, and the
 * sessions of two members who have no direct path.
 * It owns no state but two accounts of each neighbour, of what it makes us carry. It never opens
 * what it carries, and carries only between members, whom it knows as linked with directly.
 */
#pragma once

#include "mesh/overlay/neighbour.h"

/*
 * A way through others to a node, for MeshPath: `ret_path` names the first hop, and the node by its
 * short key. The direct link with the node itself, if there is one, is no way. False: there is
 * none.
 */
bool forward_path(const Mesh *mesh, const uint8_t target[SHORT_KEY_SIZE], MeshPath *ret_path);
/* The path on which what `from` says comes by way of a neighbour. */
MeshPath forward_path_by(const Mesh *mesh, const Neighbour *hop,
                         const uint8_t from[SHORT_KEY_SIZE]);

/* What goes to a node by the hop it goes by now does not arrive, though that hop answers: for a
 * while it is sent by another, if there is any. False: by another it went in vain too, since the
 * node was last heard. */
bool forward_in_vain(Mesh *mesh, Neighbour *neighbour);

/* Sends a datagram by such a path: by the first hop that is the best now, else by the one named. */
void forward_send(Mesh *mesh, const MeshPath *path, Bytes datagram, LinkPriority priority);
/* Sends what came for a neighbour by no neighbour, in the name of `from`: as if it had been carried
 * here. False: the link does not take it. */
bool forward_for(Mesh *mesh, Neighbour *to, const uint8_t from[SHORT_KEY_SIZE], uint8_t hops,
                 Bytes datagram);
/*
 * A MESSAGE_FORWARD came from a neighbour: goes on, or is read when it is for us. FORBIDDEN: not by
 * a direct link, or its first hop lies about who sends; UNKNOWN: no way on, or no hop is left;
 * FULL: that neighbour makes us carry too much.
 */
MeshError forward_received(Mesh *mesh, Neighbour *from, Bytes body);
