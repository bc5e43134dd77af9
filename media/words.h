/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What went wrong with sound or picture, in a sentence a person can act on.
 * It owns the sentences, in English: the node says them in the person's language. It never hides
 * what GStreamer said: that goes to standard error.
 */
#pragma once

#include <glib.h>

/* Never NULL, never freed; what no sentence is known for says what to try. `details` may be NULL.
 */
const char *media_words(const GError *error, const char *details);
