/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the node gives its page beyond the bus: the bytes of documents, and what sessions rest on.
 * It owns the page's beginning, and the commands about the page and the person's name. It never
 * lets the page do what the bus would refuse.
 */
#pragma once

#include "node/host/state.h"

/* Begins to serve the page, at the port remembered. FALSE with an error. */
gboolean serving_open(Host *host, GError **error);
