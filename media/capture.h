/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The role `capture`: what this person says and shows becomes frames for the node to send.
 * It owns the channel to the node and one track a kind: voice, video, screen.
 * It never holds a key, and runs only what its own person named.
 */
#pragma once

#include "media/heard.h"

/*
 * Captures until the node says STOP or goes away, or a signal comes. Returns the exit status.
 * `heard`: what the player plays, borrowed; NULL: nobody knows.
 */
int media_capture_run(const char *endpoint, const MediaHeard *heard);
