/* SPDX-License-Identifier: MPL-2.0 */
/*
 * This machine's network interfaces that are up, and their addresses, read from the kernel.
 * It owns one picture of them. It never follows changes: watch.h does.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

typedef struct {
    guint32 index;
    gboolean loopback;
    gboolean has_v4;
    gboolean has_v6;
    guint8 v4[4]; /* the first of its addresses */
} NetInterface;

/* Best first: the order in which others should try them. */
typedef enum {
    NET_ADDRESS_PUBLIC_V6,
    NET_ADDRESS_LOCAL_V6, /* unique-local */
    NET_ADDRESS_PUBLIC_V4,
    NET_ADDRESS_PRIVATE_V4,
    NET_ADDRESS_TEMPORARY_V6, /* RFC 8981: gone within days */
    NET_ADDRESS_LINK_LOCAL,
    NET_ADDRESS_LOOPBACK,
} NetAddressRank;

typedef struct {
    NetAddressRank rank;
    MeshPath path; /* a KNOCK path without its port; the interface when link-local */
} NetAddress;

typedef struct {
    GArray *interfaces; /* NetInterface */
    GArray *addresses;  /* NetAddress, best first, none twice */
} NetInterfaces;

/*
 * Reads them anew (rtnetlink, RFC 3549): no interface that is down or without carrier, no address
 * that is deprecated or not yet known to be unique. On failure nothing changes.
 */
gboolean net_interfaces_read(NetInterfaces *ret_interfaces, GError **error);
/* Frees what was read, if anything. */
void net_interfaces_finish(NetInterfaces *interfaces);

/* Where others may reach this node: loopback only when there is nothing but link-local. */
gboolean net_interfaces_reach(const NetInterfaces *interfaces, NetAddressRank rank);
/* Whether an address is one of this machine's own, loopback included. */
gboolean net_interfaces_own(const NetInterfaces *interfaces, const MeshPath *path);
