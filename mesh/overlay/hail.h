/* SPDX-License-Identifier: MPL-2.0 */
/*
 * HAIL, "who of this meeting is here?", and HERE, the answer: one datagram each, by multicast or to
 * a known address, recognised only by holders of the same secret.
 * It owns the two messages (mesh/README.md, "Hail"). It never answers more bytes than were asked.
 */
#pragma once

#include "mesh/domain.h"

#define HAIL_HAIL       0x40 /* first byte */
#define HAIL_HERE       0x41
#define HAIL_NONCE_SIZE 24
#define HAIL_SIZE       269 /* bytes of a HAIL, and of a HERE */

typedef struct {
    uint8_t nonce[HAIL_NONCE_SIZE]; /* of the HAIL; a HERE repeats it inside the seal */
    MeshKey sender;                 /* the device that hails, or that is here */
    size_t address_count;
    MeshPath addresses[MESH_ADDRESSES_MAX]; /* where its knock port can be reached */
    MeshPath seen;                          /* HERE: where the HAIL came from; else NONE */
} Hail;

/*
 * The messages are sealed (XChaCha20-Poly1305) under domain_derive("hail", psk), the type being
 * additional data. `nonce`: random; of a HERE a fresh one. Each is padded to HAIL_SIZE, so that
 * HERE is no larger than HAIL, and its length says nothing. Only KNOCK addresses are written,
 * without their interface: it means nothing on another machine.
 */
size_t hail_write(const Hail *hail, const uint8_t psk[32], uint8_t *ret_bytes);
size_t hail_write_here(const Hail *here, const uint8_t nonce[HAIL_NONCE_SIZE],
                       const uint8_t psk[32], uint8_t *ret_bytes);

/* FORGED: under another secret. MALFORMED. */
MeshError hail_read(Bytes message, const uint8_t psk[32], Hail *ret_hail);
MeshError hail_read_here(Bytes message, const uint8_t psk[32], Hail *ret_here);
