/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The address at which a configured STUN server sees the knock port, asked again and again so
 * that a NAT keeps it.
 * It owns the transaction and its timer. It never sends by itself, and never resolves a name.
 */
#pragma once

#include "node/net/stun.h"

typedef struct NetMapping NetMapping;

typedef struct {
    void (*send)(gpointer data, const MeshPath *server, Bytes request);
    void (*changed)(gpointer data); /* found, another, or lost */
    gpointer data;
} NetMappingHandler;

/* Asks from the next turn of the loop on. */
NetMapping *net_mapping_create(const MeshPath *server, NetMappingHandler handler);
/* NULL-safe. */
void net_mapping_destroy(NetMapping *mapping);

/* The network changed: forgets what was found, without telling, and asks now. */
void net_mapping_again(NetMapping *mapping);
/* Takes a STUN datagram; FALSE: it was no answer awaited. */
gboolean net_mapping_take(NetMapping *mapping, const MeshPath *from, Bytes answer);
/* A KNOCK path; of kind NONE while it is not known. */
MeshPath net_mapping_found(const NetMapping *mapping);
