/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Streams of others passed on to neighbours: told, pushed frame by frame as they came, ended.
 * It owns nothing: what is passed to whom stands with each stream. It never changes a frame but for
 * the name of its stream, and needs no key for it.
 */
#pragma once

#include "mesh/overlay/stream.h"

/* Tells one neighbour of a stream, unless it was; again with `anew`. */
void relayed_tell(Mesh *mesh, Stream *stream, uint32_t slot, bool anew);
/* Tells all who do not know of it by another way. */
void relayed_tell_all(Mesh *mesh, Stream *stream);
/* Tells a neighbour who begins to listen of all that are heard here. */
void relayed_greet(Mesh *mesh, uint32_t slot);
/* Says that it ended to whom it was told, but the one who said so (NEIGHBOUR_NONE: nobody). */
void relayed_end(Mesh *mesh, Stream *stream, uint32_t from);
/* A new frame of a stream came from a neighbour: pushes it on. */
void relayed_frame(Mesh *mesh, Stream *stream, uint32_t slot, const MeshFrame *frame, Bytes body);
