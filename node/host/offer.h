/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A voice message, offered by itself to whoever speaks live over a line that does not carry it, or
 * to nobody; and taken back when live voice is heard again.
 * It owns what is offered now and who was told. It never records or sends by itself.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "node/host/room.h"

/* Once a second: offers, or takes back. An offer outlasts the microphone, not the meeting. */
void offer_look(Host *host);
/* What stands in that meeting (NULL: none) as a member `offer`, an object with what the event has;
 * nothing when nothing stands. In the asker's language. */
void offer_put(const Host *host, const Room *room, JsonBuilder *builder, Language language);
/* Forgets it, without a word. */
void offer_destroy(Host *host);
