/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The datagrams of one key pair: sealing, opening, and the window that refuses replays.
 * It owns the keys and the receiver's window. It never chooses a counter: the neighbour counts, on
 * through rekeying, so that the link above sees one row of numbers.
 *
 * Datagram: first byte 0b10kkkkpp (kk kind, pp phase of the key), the low 32 bits of the counter
 * little-endian, ciphertext, 16-byte tag: ChaCha20-Poly1305 (RFC 8439) with the nonce 0⁴ ‖ counter
 * and the five header bytes as additional data.
 */
#pragma once

#include "mesh/link/handshake.h"

#define SESSION_HEADER_SIZE   5
#define SESSION_OVERHEAD_SIZE (SESSION_HEADER_SIZE + 16)

typedef enum {
    SESSION_DATA = 0,  /* a packet of the link */
    SESSION_PROBE = 1, /* a path is tried: 8 bytes to be echoed */
    SESSION_ECHO = 2,  /* the echo, on the path the probe came by */
    SESSION_BYE = 3,   /* whoever sends it ends the link: a byte, why */
} SessionKind;

typedef struct {
    HandshakeKeys keys;
    uint8_t phase;    /* 0 … 3 */
    bool any;         /* something was opened */
    uint64_t highest; /* counter opened; before the first, where it is expected about */
    uint64_t window[MESH_REPLAY_MAX / 64];
} Session;

void session_init(Session *session, const HandshakeKeys *keys, uint8_t phase);
void session_finish(Session *session);

/* After a rekey, before anything was opened: the neighbour counts on from about here (the highest
 * counter opened under the former keys). Without it the first counter must be below 2^32. */
void session_expect(Session *session, uint64_t counter);

/* Whether the bytes look like a datagram of a session, and of which phase; false: they do not. */
bool session_peek(Bytes datagram, SessionKind *ret_kind, uint8_t *ret_phase);

/* Seals into `ret_bytes` (plain.length + SESSION_OVERHEAD_SIZE) and returns the length. The caller
 * never gives one counter twice. */
size_t session_seal(Session *session, SessionKind kind, uint64_t counter, Bytes plain,
                    uint8_t *ret_bytes);

/* Opens into `ret_plain` (room for datagram.length - SESSION_OVERHEAD_SIZE). MALFORMED; FORGED;
 * REPLAYED when seen before or older than the window. The window moves only for what is authentic.
 */
MeshError session_open(Session *session, Bytes datagram, SessionKind *ret_kind,
                       uint64_t *ret_counter, uint8_t *ret_plain, size_t *ret_length);
