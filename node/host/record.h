/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The recording a person asked for: what this node plays, written into a WAV file.
 * It owns that file while it grows. It never records what this node itself says, and never grows
 * past what the form holds (4 GiB, 12 hours).
 */
#pragma once

#include "node/host/room.h"

/* What was played, from the media helper. */
void record_mix(Host *host, const MediaMix *mix);
/* The file's path, or NULL while nothing is recorded. Borrowed. */
const char *record_path(const Host *host);
/* Ends it; the file is whole. */
void record_destroy(Host *host);
