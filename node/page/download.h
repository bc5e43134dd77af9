/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A document on its way from the meeting into the browser, piece by piece, as the browser reads.
 * It owns what kind of thing may be shown. It never tells a browser to run what others made.
 */
#pragma once

#include <libsoup/soup.h>

#include "node/page/page.h"

/* Answers with the document of this id, to be saved; with `preview`, to be shown in a frame, or 415
 * when it is neither picture nor plain text. */
void download_begin(const PageHandler *handler, SoupServerMessage *message, const char *id,
                    gboolean preview);
