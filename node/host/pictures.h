/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The pictures of cameras and screens on their way to pages: those received, and one's own as the
 * others get them. It owns the newest of each that needs no earlier one, for pages that come late.
 * It never decodes one: what makes no sense at first sight is counted and goes no further.
 */
#pragma once

#include "node/host/room.h"
#include "node/page/live.h"

void pictures_create(Host *host);
void pictures_destroy(Host *host);

/* What pages ask, for the page's handler. */
LivePictures pictures_served(Host *host);

/* Shows one; `stream` is another whenever its numbers begin anew. The payload lasts for the call.
 */
void pictures_show(Host *host, const MeshKey *member, guint32 stream, const MediaFrame *frame);
/* The source is over: what was kept of it is forgotten. */
void pictures_end(Host *host, const MeshKey *member, MeshStreamKind kind);
