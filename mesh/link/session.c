/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/session.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define LOOK      0x80 /* the top two bits, 10: never STUN, whose are 00 */
#define LOOK_MASK 0xc0
#define PHASES    4
#define TAG_SIZE  crypto_aead_chacha20poly1305_ietf_ABYTES
#define HALF      ((uint64_t)1 << 31)
#define WHOLE     ((uint64_t)1 << 32)

_Static_assert(SESSION_OVERHEAD_SIZE == SESSION_HEADER_SIZE + TAG_SIZE, "header and tag");
_Static_assert(MESH_REPLAY_MAX % 64 == 0, "the window is made of words");

void session_init(Session *session, const HandshakeKeys *keys, uint8_t phase) {
    assert(phase < PHASES);
    *session = (Session){.keys = *keys, .phase = phase};
}

void session_finish(Session *session) {
    sodium_memzero(session, sizeof *session);
}

void session_expect(Session *session, uint64_t counter) {
    assert(!session->any);
    session->highest = counter;
}

bool session_peek(Bytes datagram, SessionKind *ret_kind, uint8_t *ret_phase) {
    uint8_t first;

    if (datagram.length < SESSION_OVERHEAD_SIZE) {
        return false;
    }
    first = datagram.data[0];
    if ((first & LOOK_MASK) != LOOK || (first & 0x3f) >> 2 > SESSION_BYE) {
        return false;
    }
    *ret_kind = (SessionKind)((first & 0x3f) >> 2);
    *ret_phase = first & (PHASES - 1);
    return true;
}

static void make_nonce(uint64_t counter, uint8_t ret_nonce[12]) {
    BytesWriter writer = bytes_writer(ret_nonce, 12);

    bytes_write_u32(&writer, 0);
    bytes_write_u64(&writer, counter);
}

size_t session_seal(Session *session, SessionKind kind, uint64_t counter, Bytes plain,
                    uint8_t *ret_bytes) {
    BytesWriter writer = bytes_writer(ret_bytes, SESSION_HEADER_SIZE);
    unsigned long long length;
    uint8_t nonce[12];

    bytes_write_u8(&writer, (uint8_t)(LOOK | kind << 2 | session->phase));
    bytes_write_u32(&writer, (uint32_t)counter);
    make_nonce(counter, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(ret_bytes + SESSION_HEADER_SIZE, &length, plain.data,
                                              plain.length, ret_bytes, SESSION_HEADER_SIZE, NULL,
                                              nonce, session->keys.send);
    return SESSION_HEADER_SIZE + (size_t)length;
}

/* The counter with these low 32 bits that lies nearest to the highest. */
static uint64_t whole_counter(uint64_t highest, uint32_t low) {
    uint64_t counter = (highest & ~(WHOLE - 1)) | low;

    if (counter > highest && counter - highest > HALF && counter >= WHOLE) {
        return counter - WHOLE;
    }
    if (counter < highest && highest - counter >= HALF && counter <= UINT64_MAX - WHOLE) {
        return counter + WHOLE;
    }
    return counter;
}

static bool is_marked(const Session *session, uint64_t counter) {
    uint64_t bit = counter % MESH_REPLAY_MAX;

    return session->window[bit / 64] >> (bit % 64) & 1;
}

static bool is_replayed(const Session *session, uint64_t counter) {
    if (!session->any || counter > session->highest) {
        return false;
    }
    return session->highest - counter >= MESH_REPLAY_MAX || is_marked(session, counter);
}

/* The window is a ring of bits: those that the highest counter passes over are freed. */
static void mark(Session *session, uint64_t counter) {
    uint64_t bit = counter % MESH_REPLAY_MAX;

    if (!session->any ||
        (counter > session->highest && counter - session->highest >= MESH_REPLAY_MAX)) {
        memset(session->window, 0, sizeof session->window);
        session->highest = counter;
    }
    while (session->highest < counter) {
        uint64_t passed = ++session->highest % MESH_REPLAY_MAX;

        session->window[passed / 64] &= ~((uint64_t)1 << passed % 64);
    }
    session->any = true;
    session->window[bit / 64] |= (uint64_t)1 << bit % 64;
}

MeshError session_open(Session *session, Bytes datagram, SessionKind *ret_kind,
                       uint64_t *ret_counter, uint8_t *ret_plain, size_t *ret_length) {
    BytesReader reader = bytes_reader(datagram.data, datagram.length);
    unsigned long long length;
    uint64_t counter;
    uint8_t nonce[12];
    SessionKind kind;
    uint8_t phase;

    if (!session_peek(datagram, &kind, &phase)) {
        return MESH_ERROR_MALFORMED;
    }
    bytes_read_u8(&reader);
    counter = whole_counter(session->highest, bytes_read_u32(&reader));
    if (phase != session->phase) {
        return MESH_ERROR_FORGED;
    }
    if (is_replayed(session, counter)) {
        return MESH_ERROR_REPLAYED;
    }
    make_nonce(counter, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            ret_plain, &length, NULL, datagram.data + SESSION_HEADER_SIZE,
            datagram.length - SESSION_HEADER_SIZE, datagram.data, SESSION_HEADER_SIZE, nonce,
            session->keys.receive)) {
        return MESH_ERROR_FORGED;
    }
    mark(session, counter);
    *ret_kind = kind;
    *ret_counter = counter;
    *ret_length = (size_t)length;
    return MESH_OK;
}
