/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An ICE offer (RFC 8445 section 5.3): credentials and candidates, as bytes and as a value.
 * It owns nothing. It never trusts its bytes: whatever is not an offer, whole, is refused.
 *
 *   u8 version 1; ufrag, password: u8 length, characters; u8 count; each candidate:
 *   u8 type; u32 priority; foundation: u8 length, characters; address as mesh_path_write has it.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

#define NET_OFFER_CANDIDATES 20
/* Characters, as the grammar of RFC 8839 has them. */
#define NET_OFFER_UFRAG      32
#define NET_OFFER_PASSWORD   64
#define NET_OFFER_FOUNDATION 32

/* The numbers are libnice's. */
typedef enum {
    NET_CANDIDATE_HOST = 0,
    NET_CANDIDATE_SERVER_REFLEXIVE = 1,
    NET_CANDIDATE_PEER_REFLEXIVE = 2,
    NET_CANDIDATE_RELAYED = 3,
} NetCandidateType;

typedef struct {
    NetCandidateType type;
    guint32 priority;
    char foundation[NET_OFFER_FOUNDATION + 1];
    MeshPath path;
} NetCandidate;

typedef struct {
    char ufrag[NET_OFFER_UFRAG + 1];
    char password[NET_OFFER_PASSWORD + 1];
    guint count;
    NetCandidate candidates[NET_OFFER_CANDIDATES];
} NetOffer;

/* Writes as many candidates as fit, the first ones; the length, 0 when not even none fit. */
gsize net_offer_write(const NetOffer *offer, guint8 *ret_bytes, gsize capacity);
gboolean net_offer_read(Bytes bytes, NetOffer *ret_offer);
