/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which voices are passed on when many speak at once: the loudest, by the level that each frame
 * bears under its tag (RFC 6464).
 * It owns nothing. It never opens a frame, nor keeps a voice from who hears it here.
 */
#pragma once

#include "mesh/overlay/stream.h"

/* A frame of a voice came: whether it is passed on. Everything is while there are no more than
 * MESH_VOICES_MAX voices; one louder than one of these takes its place after 300 ms, and who is
 * silent for a second gives it up. */
bool loudest_passes(Mesh *mesh, Stream *stream, const MeshFrame *frame);
