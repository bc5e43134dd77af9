/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What is asked when a stream stops coming: another neighbour, to push it for a while. And what is
 * told so that one notices: how far a stream is here.
 * It owns nothing: what was asked stands with each stream. It never asks all at once, nor anybody
 * for what is not behind.
 */
#pragma once

#include "mesh/overlay/stream.h"

/* A new frame came from a neighbour. */
void ask_came(Mesh *mesh, Stream *stream, uint32_t slot, uint64_t lasts_us);
/* One that was here already. */
void ask_came_again(Stream *stream, uint32_t slot);
/* The neighbour that pushed it is gone. */
void ask_lost(Mesh *mesh, Stream *stream);
void ask_timeout(Mesh *mesh);
uint64_t ask_deadline_us(const Mesh *mesh);

/* Of whom, of what, and which number; FORBIDDEN: nobody of that name speaks. */
MeshError ask_read_place(Mesh *mesh, BytesReader *reader, MeshKey *ret_speaker,
                         MeshStreamKind *ret_kind, uint32_t *ret_number);

MeshError ask_at_received(Mesh *mesh, uint32_t slot, Bytes body);
/* ---- asked.c: being asked ---- */

MeshError ask_received(Mesh *mesh, uint32_t slot, Bytes body);
