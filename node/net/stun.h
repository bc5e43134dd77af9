/* SPDX-License-Identifier: MPL-2.0 */
/*
 * STUN (RFC 8489) on the knock port: answers Binding requests, and asks them.
 * It owns the transactions it asked. It never sends: bytes go in and out, and an answer is never
 * larger than NET_STUN_REPLY_SIZE, so that nobody gains much by sending it requests.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

#define NET_STUN_REPLY_SIZE   44 /* header, and one IPv6 address */
#define NET_STUN_REQUEST_SIZE 20

typedef struct NetStun NetStun;

NetStun *net_stun_create(void);
/* NULL-safe. */
void net_stun_destroy(NetStun *stun);

/* RFC 7983: the two top bits of the first byte tell STUN from everything of ours. */
gboolean net_stun_is(Bytes bytes);

/* Writes the answer to a Binding request from there; its length, 0 when it deserves none. */
gsize net_stun_answer(NetStun *stun, Bytes request, const MeshPath *from,
                      guint8 ret_reply[NET_STUN_REPLY_SIZE]);

/* Writes a new Binding request, forgetting the one before. */
void net_stun_ask(NetStun *stun, guint8 ret_request[NET_STUN_REQUEST_SIZE]);
/* Whether this answers the request, once; then `ret_mapped` is the address it was seen at. */
gboolean net_stun_answered(NetStun *stun, Bytes answer, MeshPath *ret_mapped);
