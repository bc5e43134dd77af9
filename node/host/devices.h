/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The microphone, camera and loudspeaker a person chose, and trying them before anybody hears.
 * It owns the choice, remembered, and the trials that go on. It never sends what is tried to a
 * meeting: sound is heard here at most, pictures are seen in this node's pages.
 */
#pragma once

#include "node/host/room.h"

/* Reads what was chosen. FALSE with an error. */
gboolean devices_load(Host *host, GError **error);
void devices_destroy(Host *host);
/* What a person means by these words: `auto` is the device chosen, if one is. Borrowed. */
const char *devices_source(Host *host, MediaKind kind, const char *words);
/* The same of where sound goes. */
const char *devices_output(Host *host, const char *sink);

/* What the media helper tells; TRUE when it was tried and is for nobody else. */
gboolean devices_frame(Host *host, const MediaFrame *frame);
gboolean devices_ended(Host *host, MediaKind kind, const char *reason);
void devices_loudness(Host *host, const MediaLoudness *loudness);
/* A source of that kind is about to begin in earnest. */
void devices_make_way(Host *host, MediaKind kind);
