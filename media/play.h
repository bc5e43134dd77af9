/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The role `play`: what the others say and show becomes sound and pictures on this machine.
 * It owns the channel to the node, the mixer and the gallery.
 * It never holds a key, and once its outputs are open it can reach neither file nor network.
 */
#pragma once

#include <glib.h>

#include "media/heard.h"

typedef struct {
    const char *endpoint;
    const char *sink;       /* auto, fake, a file's absolute path, or a GStreamer description */
    gboolean go_on;         /* the file is continued, not emptied */
    const char *video_sink; /* auto, fake or none */
    MediaHeard *heard;      /* where what is played is told; NULL: nowhere */
} MediaPlayOptions;

/* Plays until the node says STOP or goes away, or a signal comes. Returns the exit status. */
int media_play_run(const MediaPlayOptions *options);
