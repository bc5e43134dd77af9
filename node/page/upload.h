/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A document on its way from the page into the meeting: the body of a request, read by `doc add`.
 * It owns what came and was not read yet, a piece at most. It never writes a file: what is shared
 * lies in clear nowhere, and a browser that is too quick waits.
 */
#pragma once

#include <libsoup/soup.h>

#include "node/bus/bus.h"

/* The headers are there, and judged: a document of this name follows. Answers it, or refuses. */
void upload_begin(Bus *bus, SoupServerMessage *message, const char *name);
/* The body is there: what the bus answers will be. */
void upload_end(SoupServerMessage *message);
