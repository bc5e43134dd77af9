/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The network of a world: hosts at sites (a LAN each, open or behind a NAT), and a line between
 * every two hosts in each direction.
 * It owns addresses, lines, and what is on its way. It never reads what it carries.
 */
#pragma once

#include "mesh/mesh.h"
#include "tests/sim/nat.h"
#include "tests/sim/wiring.h"

#define NETWORK_HOSTS HOSTS_MAX
#define NETWORK_SITES 256

typedef struct Network Network;

/* Something reaches a host: a DATAGRAM, ICE_OFFER, ICE_UP or ICE_DOWN without its moment; its bytes
 * are borrowed for the call. */
typedef void (*NetworkDeliver)(gpointer context, unsigned host, const MeshEvent *event);

Network *network_create(Schedule *schedule, uint64_t seed, NetworkDeliver deliver,
                        gpointer context);
void network_destroy(Network *network);

/* A new LAN; its number. */
unsigned network_site(Network *network, NatKind kind);
/* Plugs a host in, under an address it never had before; what is on its way to the former is
 * lost. */
void network_place(Network *network, unsigned host, unsigned site);
/* Where it is plugged in, and how many are there with it. */
unsigned network_site_of(const Network *network, unsigned host);
unsigned network_site_size(const Network *network, unsigned site);
/* The host's own address, as it knows it. */
MeshPath network_address(const Network *network, unsigned host);
/* The router of a site restarts with another address; pairs that ICE found through it are dead. */
void network_rebind(Network *network, unsigned site);

/* One direction, to be changed at will. */
Line *network_line(Network *network, unsigned from, unsigned to);
/* What all that a host sends to others passes first, before the lines to each; made when first
 * asked for. */
Line *network_uplink(Network *network, unsigned host);
/* Every line there is, or those from some hosts to others. */
void network_set_lines(Network *network, const LineSettings *settings);
void network_set_some(Network *network, Hosts from, Hosts to, const LineSettings *settings);
/* Cuts, or heals, both directions between some hosts and others. */
void network_split(Network *network, Hosts one, Hosts other, bool cut);
/* The same of one direction alone: what some send, others do not hear. */
void network_deafen(Network *network, Hosts from, Hosts to, bool deaf);
void network_heal(Network *network);

/* One datagram from a host's knock port. */
void network_send(Network *network, unsigned from, const MeshPath *to, Bytes bytes);
/* A packet of somebody else's on the line between two hosts: it only takes its room. */
void network_foreign(Network *network, unsigned from, unsigned to, size_t ip_bytes);
/* To every other host of the same LAN. */
void network_beacon(Network *network, unsigned from, Bytes bytes);
/* Over the line between two hosts, seen as coming by `seen`; for ICE, which knows it may. */
void network_carry(Network *network, unsigned from, unsigned to, const MeshPath *seen, Bytes bytes);

/* A number that changes when pairs found so far between a host and others outside its LAN, or
 * (`moves`) all its pairs, have died. */
unsigned network_rebinds(const Network *network, unsigned host);
unsigned network_moves(const Network *network, unsigned host);
/* Whether two hosts can reach each other directly once told of each other's addresses; `known`:
 * they asked a public host how they are seen. */
bool network_can_punch(Network *network, unsigned a, bool a_known, unsigned b, bool b_known);
bool network_same_site(const Network *network, unsigned a, unsigned b);
/* Some public host is among these addresses. */
bool network_has_public(const Network *network, const MeshPath *paths, size_t count);
/* Who sent the datagram that is being delivered. */
unsigned network_sender(const Network *network);
/* Hands an event up. */
void network_deliver(Network *network, unsigned host, const MeshEvent *event);
