/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ICE as a world sees it: an agent gathers for a while, two agents that hold each other's offers
 * connect after a while if their NATs allow, or fail after fifteen seconds.
 * It owns the agents. It never models candidates: an offer is an opaque word that names its agent.
 */
#pragma once

#include "tests/sim/network.h"

typedef struct Ice Ice;

Ice *ice_create(Schedule *schedule, Network *network, uint64_t seed);
void ice_destroy(Ice *ice);

/* What the effects of the same names ask for; `servers` as in ICE_START. */
void ice_start(Ice *ice, unsigned host, uint32_t agent, const MeshPath *servers, size_t count);
void ice_remote(Ice *ice, unsigned host, uint32_t agent, Bytes offer);
void ice_stop(Ice *ice, unsigned host, uint32_t agent);
/* Sends on an agent's selected pair; lost when there is none, or when it has died. */
void ice_send(Ice *ice, unsigned host, uint32_t agent, Bytes bytes);
/* The host's process is gone, and all its agents with it. */
void ice_forget(Ice *ice, unsigned host);
/* Agents that a host has now. */
unsigned ice_count(const Ice *ice, unsigned host);
