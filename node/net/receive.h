/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reading datagrams, with where they came from and came in.
 * It owns nothing. It never keeps the loop for more than NET_RECEIVE_TURN datagrams.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

#define NET_RECEIVE_TURN 64
#define NET_RECEIVE_SIZE 2048 /* larger datagrams are none of ours */

/* One datagram; bytes last for the call. */
typedef struct {
    MeshPath path;     /* where from */
    guint32 interface; /* by which it came in */
    guint8 local[16];  /* the address of ours it was sent to, of the path's family */
    Bytes bytes;
} NetArrival;

typedef void (*NetReceiveEach)(gpointer data, const NetArrival *arrival);

/* A UDP socket of family 4 or 6 that does not block, tells interfaces, and is IPv6 only if 6. */
int net_receive_socket(guint8 family);
/* Reads what waits, up to one turn; returns how many were too large, empty or of nobody. */
guint net_receive_turn(int socket, NetReceiveEach each, gpointer data);
