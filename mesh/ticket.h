/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ticket: what one person gives another to join a meeting, short enough for one SMS.
 * It owns the text's layout (mesh/README.md, "Ticket") and what is derived from its secret. It
 * never says whether the ticket still admits anyone: the journal's INVITE does.
 */
#pragma once

#include "mesh/domain.h"

#define TICKET_SECRET_SIZE    16
#define TICKET_ID_SIZE        16
#define TICKET_ADDRESSES_SIZE 6 /* addresses read; fewer are written, as many as fit */

typedef struct {
    MeshKey inviter;
    uint8_t secret[TICKET_SECRET_SIZE];
    size_t address_count;
    MeshPath addresses[TICKET_ADDRESSES_SIZE]; /* KNOCK, interface 0; the best first */
} Ticket;

/* "maillon:" and lower-case base32, at most MESH_TICKET_MAX characters; later addresses that do
 * not fit are left out. */
void ticket_write(const Ticket *ticket, char ret_text[MESH_TICKET_MAX + 1]);

/*
 * Reads what a person typed: capitals, blanks (unbreakable ones too) and line breaks inside are
 * forgiven. TICKET_MISTYPED; TICKET_VERSION when it is whole and of another version.
 */
MeshError ticket_read(const char *text, Ticket *ret_ticket);

/* What the secret gives: the name of the ticket, the key that its bearer proves to hold in a
 * handshake, and the seed of the Ed25519 key that vouches for the bearer's device. */
void ticket_id(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_id[TICKET_ID_SIZE]);
void ticket_psk(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_psk[32]);
void ticket_seed(const uint8_t secret[TICKET_SECRET_SIZE], uint8_t ret_seed[MESH_SEED_SIZE]);

/* A code carried by hand is base32 of bytes and a checksum behind a word: "maillon-WORD:…", read as
 * forgivingly as a ticket. `ret_text` has room for MESH_CODE_MAX + 1; TOO_LARGE. TICKET_MISTYPED
 * when read wrongly, or when there is more than `capacity`. The word is lower-case ASCII. */
MeshError ticket_code_write(const char *word, Bytes bytes, char *ret_text);
MeshError ticket_code_read(const char *word, const char *text, uint8_t *ret_bytes, size_t capacity,
                           size_t *ret_length);
